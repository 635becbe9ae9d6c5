"""Walks over all keys, and over the members of one, page by page; only the doctor takes them.

Nothing else needs them: what a page or a call costs does not depend on how
much there is. A walk sees everything that was there from its start to its end,
perhaps twice, and never holds up the engine for longer than one page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from msgspec import Struct

from statecore.store.addresses import Topology
from statecore.store.base import Store
from statecore.store.checks import decode
from statecore.store.keyspace import KINDS
from statecore.store.layouts import tagged
from statecore.store.memory import MemoryStore
from statecore.store.partitions import PartitionedStore
from statecore.store.redis import RedisStore
from statecore.store.routed import RoutedLinks
from statecore.store.sealing import below_seals
from statecore.store.translation import driver_errors

PAGE = 500
_LOOK = """
local sizes = {
  string = 'STRLEN', hash = 'HLEN', set = 'SCARD', zset = 'ZCARD', stream = 'XLEN', list = 'LLEN'
}
local found = {}
for _, key in ipairs(KEYS) do
  local kind = redis.call('TYPE', key).ok
  found[#found + 1] = kind
  found[#found + 1] = redis.call('PTTL', key)
  found[#found + 1] = sizes[kind] and redis.call(sizes[kind], key) or 0
end
return found
"""
_TAG = re.compile(r"\{p\d+\}")
_SCANS = {"hash": "HSCAN", "set": "SSCAN"}
_KINDS = {"zset": "sorted set"}


class KeyFact(Struct, frozen=True):
    """What is at a key; ``kind`` is empty when nothing is."""

    name: str
    kind: str
    """``string``, ``hash``, ``set``, ``sorted set``, ``stream``, or what else an engine has."""
    ttl_ms: int | None
    """How long it still lives; ``None``: for ever."""
    size: int
    """Members, fields, entries, or bytes."""
    address: str = ""
    """Its name in the engine, with its partition where there are several."""


def walk_keys(store: Store, page: int = PAGE) -> Iterator[list[KeyFact]]:
    """All keys, page by page, under the names that the code knows them by."""
    base = below(store)
    for names in _pages_of_keys(base, page):
        yield [_untagged(fact) for fact in _look_below(base, names) if fact.kind]


def look_at(store: Store, names: Sequence[str]) -> list[KeyFact]:
    """What is at these keys, in the order asked."""
    base = below(store)
    if isinstance(store, PartitionedStore):
        places = store.locate(names)
        names = [tagged(place, name) for place, name in zip(places, names, strict=True)]
    return [_untagged(fact) for fact in _look_below(base, names)]


def walk_members(store: Store, key: str, kind: str, page: int = PAGE) -> Iterator[list[str]]:
    """The members of a set, or the names of the fields of a hash, page by page."""
    base = below(store)
    for name in _parts(store, key):
        yield from _pages_of_members(base, name, kind, page)


def look_at_addresses(store: Store, addresses: Sequence[str]) -> list[KeyFact]:
    """What is at these keys, each named as in the engine."""
    return [_untagged(fact) for fact in _look_below(below(store), addresses)]


def contains(store: Store, key: str, members: Sequence[str]) -> list[bool]:
    """Which of these are members of a set."""
    base, (name,) = below(store), _parts(store, key)
    if isinstance(base, MemoryStore):
        held = set(_members_in_memory(base, name, "set"))
        return [member in held for member in members]
    if not members or not isinstance(base, RedisStore):
        return []
    return [bool(each) for each in _ask(base, "SMISMEMBER", name, *members, keys=[name])]


def below(store: Store) -> Store:
    """The engine's own store, which knows nothing of partitions and seals."""
    return below_seals(store.engine if isinstance(store, PartitionedStore) else store)


def _parts(store: Store, key: str) -> list[str]:
    if not isinstance(store, PartitionedStore):
        return [key]
    return [tagged(place, key) for place in store.locate([key])]


def untagged(name: str) -> str:
    """The name of a key without its partition."""
    tag = _TAG.match(name)
    return name[tag.end() :] if tag else name


def _untagged(fact: KeyFact) -> KeyFact:
    return KeyFact(untagged(fact.name), fact.kind, fact.ttl_ms, fact.size, fact.name)


# -- in memory ------------------------------------------------------------------


def _sorted_pages(names: Sequence[str], page: int) -> Iterator[list[str]]:
    for start in range(0, len(names), page):
        yield list(names[start : start + page])


def _look_in_memory(store: MemoryStore, names: Sequence[str]) -> list[KeyFact]:
    with store._opened():
        return [_fact_in_memory(store, name) for name in names]


def _fact_in_memory(store: MemoryStore, name: str) -> KeyFact:
    value = store._keys._values.get(name)
    if value is None:
        return KeyFact(name, "", None, 0)
    deadline = store._keys._deadlines.get(name)
    ttl_ms = None if deadline is None else max(0, deadline - store.clock.now_ms())
    kind = KINDS[type(value)]
    return KeyFact(name, _KINDS.get(kind, kind), ttl_ms, len(value))


def _members_in_memory(store: MemoryStore, key: str, kind: str) -> list[str]:
    with store._opened():
        held = store._keys
        return list(held.get(key, dict)) if kind == "hash" else list(held.get(key, set))


# -- in an engine -----------------------------------------------------------------


def _ask(store: RedisStore, *command: Any, keys: Sequence[str]) -> Any:
    with driver_errors():
        return store._links.exchange([*command], keys=tuple(keys), repeats=True)


def _servers(store: RedisStore) -> list[Any]:
    """Links to each server that holds a part of the keys."""
    links = store._links
    if not isinstance(links, RoutedLinks):
        return [links]
    nodes = [node for node, _ in links.exchange_everywhere(["PING"])]
    return [links._links_to((node, links.routes.role)) for node in nodes]


def _look_in_engine(store: RedisStore, names: Sequence[str]) -> list[KeyFact]:
    found: dict[str, KeyFact] = {}
    groups: dict[str, list[str]] = {}
    is_cluster = store.address.topology is Topology.CLUSTER
    for name in names:  # a script may touch the keys of one slot
        tag = _TAG.match(name)
        slot = tag[0] if tag else name if is_cluster else ""
        groups.setdefault(slot, []).append(name)
    for group in groups.values():
        reply = _ask(store, "EVAL", _LOOK, len(group), *group, keys=group)
        for at, name in enumerate(group):
            kind, ttl_ms, size = reply[3 * at : 3 * at + 3]
            found[name] = _fact(name, decode(kind), ttl_ms, size)
    return [found[name] for name in names]


def _fact(name: str, kind: str, ttl_ms: int, size: int) -> KeyFact:
    known = "" if kind == "none" else _KINDS.get(kind, kind)
    return KeyFact(name, known, None if ttl_ms < 0 else ttl_ms, size)


def _scan(ask: Callable[[str], Any], *, pairs: bool = False) -> Iterator[list[str]]:
    cursor = "0"
    while True:
        reply = ask(cursor)
        cursor = decode(reply[0])
        names = [decode(each) for each in reply[1]]
        yield names[::2] if pairs else names
        if cursor == "0":
            return


# -- either -------------------------------------------------------------------------


def _pages_of_keys(store: Store, page: int) -> Iterator[list[str]]:
    if isinstance(store, MemoryStore):
        with store._opened():
            names = store._keys.names()
        yield from _sorted_pages(names, page)
    elif isinstance(store, RedisStore):
        with driver_errors():
            for server in _servers(store):
                yield from _scan(partial(_scan_keys, server, page))


def _pages_of_members(store: Store, key: str, kind: str, page: int) -> Iterator[list[str]]:
    if isinstance(store, MemoryStore):
        yield from _sorted_pages(_members_in_memory(store, key, kind), page)
    elif isinstance(store, RedisStore):
        command = (_SCANS[kind], key)
        yield from _scan(
            lambda at: _ask(store, *command, at, "COUNT", page, keys=[key]), pairs=kind == "hash"
        )


def _scan_keys(server: Any, page: int, at: str) -> Any:
    return server.exchange(["SCAN", at, "COUNT", page])


def _look_below(store: Store, names: Sequence[str]) -> list[KeyFact]:
    """What is at these keys of an engine without partitions."""
    if isinstance(store, MemoryStore):
        return _look_in_memory(store, names)
    if isinstance(store, RedisStore):
        return _look_in_engine(store, names) if names else []
    raise TypeError(f"No walk over {store.name}")
