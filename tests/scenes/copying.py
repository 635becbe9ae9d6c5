"""A scene was played in memory, where time can be made to pass; this takes it to an engine."""

from __future__ import annotations

from typing import Any

import redis

from statecore.store.memory import MemoryStore
from statecore.store.sortedset import SortedMembers, Stream


def copy(store: MemoryStore, client: redis.Redis) -> int:
    """Write every key of a memory store to an engine, with its lifetime; how many there were."""
    held = store._keys
    held.drop_expired()
    pipe = client.pipeline(transaction=False)
    for name in held.names():
        _write(pipe, name, held._values[name])
        if (deadline := held._deadlines.get(name)) is not None:
            pipe.pexpireat(name, deadline)
    pipe.execute()
    return len(held.names())


def _write(pipe: Any, name: str, value: Any) -> None:
    match value:
        case bytes():
            pipe.set(name, value)
        case dict():
            pipe.hset(name, mapping=value)
        case set():
            pipe.sadd(name, *value)
        case SortedMembers():
            pipe.zadd(name, value.scores)
        case Stream():
            for entry_id, raw in value.tail(None, 10**9).entries:
                pipe.xadd(name, {"e": raw}, id=entry_id)
