"""Asks an engine for each command that the stores need, without changing anything."""

from __future__ import annotations

from typing import NamedTuple

from statecore.store.base import Store
from statecore.store.redis import RedisStore
from statecore.store.translation import driver_errors
from statecore.store.walking import below
from statecore.store.wire import Argument


class Answer(NamedTuple):
    """What an engine says to one command."""

    command: str
    error: str
    """Empty when it does it."""


def probe(store: Store, key: str) -> list[Answer]:
    """The engine's answers, in the order asked; ``key`` must be one that nobody uses.

    Nothing is asked of a store that is no engine.

    Raises:
        StoreUnavailable: the engine cannot be reached.
    """
    base = below(store)
    if not isinstance(base, RedisStore):
        return []
    with driver_errors():
        return [_ask(base, command, key) for command in _commands(key)]


def _ask(store: RedisStore, command: list[Argument], key: str) -> Answer:
    name = " ".join(str(part) for part in command[: 2 if command[0] in _WITH_PARTS else 1])
    try:
        store._links.exchange(command, keys=(key,))
    except Exception as error:
        if not _is_an_answer(error):
            raise
        return Answer(name, "" if "no such key" in str(error) else str(error))
    return Answer(name, "")


_WITH_PARTS = ("CONFIG",)


def _is_an_answer(error: Exception) -> bool:
    """Whether the engine itself has said so: the connection is well."""
    return any(kind.__name__ == "ResponseError" for kind in type(error).__mro__)


def _commands(key: str) -> list[list[Argument]]:
    """What the scripts and the driver ask for; writes come in pairs that leave nothing."""
    reads: list[list[Argument]] = [
        ["TIME"], ["EVAL", "return 1", 1, key], ["GET", key], ["HGET", key, "f"], ["HLEN", key],
        ["HGETALL", key], ["SMEMBERS", key], ["SCARD", key], ["ZCARD", key],
        ["ZCOUNT", key, "-inf", "+inf"], ["ZSCORE", key, "m"],
        ["ZRANGEBYSCORE", key, "-inf", "+inf"], ["ZRANGE", key, 0, 0], ["ZRANK", key, "m"],
        ["XLEN", key], ["XRANGE", key, "-", "+"],
        ["XINFO", "STREAM", key], ["SCAN", 0, "COUNT", 1], ["TYPE", key], ["PTTL", key],
        ["SSCAN", key, 0], ["HSCAN", key, 0], ["SMISMEMBER", key, "m"], ["STRLEN", key],
        ["INFO", "server"], ["CONFIG", "GET", "save"],
    ]  # fmt: skip
    writes: list[list[Argument]] = [
        ["SET", key, "", "PX", 1000], ["PEXPIRE", key, 1000], ["PERSIST", key], ["DEL", key],
        ["HSET", key, "f", ""], ["HDEL", key, "f"], ["SADD", key, "m"], ["SREM", key, "m"],
        ["ZADD", key, 1, "m"], ["ZREM", key, "m"], ["ZPOPMIN", key], ["XADD", key, "*", "f", ""],
        ["DEL", key], ["PUBLISH", key, ""],
    ]  # fmt: skip
    return [*reads, *writes]
