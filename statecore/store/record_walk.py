"""A walk over keys that can be gone on with later, for work on all records of a kind.

A cursor holds as long as the engine runs. Where it was started again, or another server took its
place, a walk that goes on from one may miss keys: who must not, walks from the start again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from statecore.store.base import Store
from statecore.store.checks import decode
from statecore.store.memory import MemoryStore
from statecore.store.redis import RedisStore
from statecore.store.translation import driver_errors
from statecore.store.walking import (
    PAGE,
    KeyFact,
    _scan_keys,
    _servers,
    below,
    look_at_addresses,
    untagged,
)

START = ""
"""The cursor of the first page, and of what comes after the last."""


def walk_from(
    store: Store, cursor: str, wanted: Callable[[str], bool], page: int = PAGE
) -> Iterator[tuple[list[KeyFact], str]]:
    """Keys whose names (without their partition) are wanted, page by page, and the cursor after.

    Raises:
        StoreUnavailable: the engine cannot be reached.
        TypeError: nothing can be walked over there.
    """
    for names, after in _pages(below(store), cursor, page):
        chosen = [name for name in names if wanted(untagged(name))]
        yield [fact for fact in look_at_addresses(store, chosen) if fact.kind], after


def _pages(base: Store, cursor: str, page: int) -> Iterator[tuple[list[str], str]]:
    if isinstance(base, MemoryStore):
        return _pages_of_memory(base, cursor, page)
    if isinstance(base, RedisStore):
        return _pages_of_servers(base, cursor, page)
    raise TypeError(f"No walk over {base.name}")


def _pages_of_memory(base: MemoryStore, cursor: str, page: int) -> Iterator[tuple[list[str], str]]:
    while True:
        with base._opened():
            names = sorted(name for name in base._keys.names() if name > cursor)
        cursor = names[page - 1] if len(names) > page else START
        yield names[:page], cursor
        if not cursor:
            return


def _pages_of_servers(base: RedisStore, cursor: str, page: int) -> Iterator[tuple[list[str], str]]:
    """The cursor is the number of the server, and the engine's own cursor there."""
    with driver_errors():
        servers = _servers(base)
        number, _, at = cursor.partition(":")
        first = int(number or 0)
        for place, server in enumerate(servers[first:], start=first):
            for names, after in _pages_of_server(server, at, page):
                is_last = not after and place == len(servers) - 1
                yield names, START if is_last else f"{place if after else place + 1}:{after}"
            at = ""


def _pages_of_server(server: Any, at: str, page: int) -> Iterator[tuple[list[str], str]]:
    """Its pages, each with its cursor for the next one; empty after the last."""
    while True:
        reply = _scan_keys(server, page, at or "0")
        told = decode(reply[0])
        at = "" if told == "0" else told
        yield list(map(decode, reply[1])), at
        if not at:
            return
