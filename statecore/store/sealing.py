"""The sealed store: an engine that holds sealed values, and looks like one that does not.

It stands between an engine and the partitions, so that a value is bound to the
name of its key without a partition. What is sealed opens wherever it is met;
what is not is read as it is, and sealed when it is next written.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from statecore.sealing.faults import BrokenSeal, MissingKey
from statecore.sealing.key_ring import Key, KeyRing
from statecore.sealing.site import Sealing
from statecore.sealing.values import is_sealed, seal, unseal
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.errors import EngineRefuses
from statecore.store.facts import Facts
from statecore.store.known_keys import WrongKey, make_known

TRIES = 10
"""How often a commit is asked again because a value was sealed otherwise, and is the same."""
MOST_TOLD = 1000
_TAG = re.compile(r"\{p\d+\}")

log = logging.getLogger("statecore.sealing")
Requests = Generator[ops.Request, Any, Any]
Seals = Callable[[str], bool]
"""Whether what is written to a key, named without its partition, is sealed."""


class KeyMissing(EngineRefuses):
    """The engine holds what was sealed with a key that the key ring does not have."""


class SealedStore(Store):
    """A store over an engine, which never sees what is written to keys that are sealed.

    A value that was altered, or moved here from another place, is handed on
    sealed: to whoever asked it is a damaged one, to be named, repaired or written anew.

    Raises (all verbs, besides):
        KeyMissing: something there is sealed with a key that is not in the ring.
    """

    def __init__(self, engine: Store, ring: KeyRing, seals: Seals) -> None:
        super().__init__(engine.clock)
        self.engine, self.ring, self.seals, self.name = engine, ring, seals, engine.name
        self._known: set[Key] = set()
        self._told: set[str] = set()

    def perform(self, request: ops.Request) -> Any:
        """Do one request and return its reply, with what was sealed in it opened."""
        steps = self._plan(request)
        try:
            each = next(steps)
            while True:
                each = steps.send(self.engine.perform(each))
        except StopIteration as done:
            return done.value

    async def aperform(self, request: ops.Request) -> Any:
        """Do one request without blocking the event loop; see :meth:`perform`."""
        steps = self._plan(request)
        try:
            each = next(steps)
            while True:
                each = steps.send(await self.engine.aperform(each))
        except StopIteration as done:
            return done.value

    def describe(self, *streams: str) -> Facts:
        """What the engine tells of itself."""
        return self.engine.describe(*streams)

    def locate(self, keys: Sequence[str]) -> tuple[int, ...]:
        """The partitions that these keys live in."""
        return self.engine.locate(keys)

    def check(self) -> None:
        """Ask the engine for something; see :meth:`Store.check`."""
        self.engine.check()

    def now(self) -> datetime:
        """The server's time."""
        return self.engine.now()

    async def anow(self) -> datetime:
        """The server's time, without blocking the event loop."""
        return await self.engine.anow()

    def close(self) -> None:
        """Give back what this process holds; blocked tails end."""
        super().close()
        self.engine.close()

    async def aclose(self) -> None:
        """Give back what this process holds for the running event loop."""
        await super().aclose()
        await self.engine.aclose()

    # -- requests ---------------------------------------------------------------------

    def _plan(self, request: ops.Request) -> Requests:
        if isinstance(request, ops.Commit):
            return (yield from self._commit(request))
        reply = yield request
        if isinstance(request, ops.Read):
            return list(map(self._opened, request.refs, reply))
        if isinstance(request, ops.Tail):
            entries = tuple((at, self._open((request.key,), raw)) for at, raw in reply.entries)
            return replace(reply, entries=entries)
        if isinstance(request, ops.Take) and request.beside:
            return [self._opened_beside(request, taken) for taken in reply]
        return reply

    def _commit(self, commit: ops.Commit) -> Requests:
        key = self.ring.first
        if key not in self._known and any(self.seals(_name(key)) for key in _written(commit)):
            yield from self._make_known(key)
        sealed = ops.Commit(
            {cell: self._as_held(key, cell, value) for cell, value in commit.expected.items()},
            tuple(self._sealed(key, write) for write in commit.writes),
        )
        for _ in range(TRIES):
            reply = yield sealed
            if not isinstance(reply, ops.Conflict):
                return reply
            current = {cell: self._opened(cell, raw) for cell, raw in reply.current.items()}
            if current != dict(commit.expected):
                return ops.Conflict(current)
            # The same, as it was sealed with another key, or not at all.
            sealed = replace(sealed, expected=reply.current)
        return ops.Conflict(current)

    def _make_known(self, key: Key) -> Requests:
        try:
            yield from make_known(key)
        except WrongKey as wrong:
            raise KeyMissing(str(wrong)) from None
        self._known.add(key)

    # -- sealing ------------------------------------------------------------------------

    def _as_held(self, key: Key, cell: ops.Cell, value: bytes | None) -> bytes | None:
        """What a cell with this value most likely holds in the engine."""
        if value is None or isinstance(cell, ops.Size) or is_sealed(value):
            return value
        return self._seal(key, _place(cell), value)

    def _sealed(self, key: Key, write: ops.Write) -> ops.Write:
        match write:
            case ops.Set(name, value):
                return replace(write, value=self._seal(key, (name,), value))
            case ops.HashSet(name, fields):
                return replace(write, fields=self._seal_fields(key, name, fields))
            case ops.Append(name, entries):
                sealed = tuple(self._seal(key, (name,), entry) for entry in entries)
                return replace(write, entries=sealed)
        return write

    def _seal_fields(self, key: Key, name: str, fields: Mapping[str, bytes]) -> dict[str, bytes]:
        return {field: self._seal(key, (name, field), value) for field, value in fields.items()}

    def _seal(self, key: Key, place: tuple[str, ...], value: bytes) -> bytes:
        name = _name(place[0])
        return seal(key, (name, *place[1:]), value) if self.seals(name) else value

    # -- opening --------------------------------------------------------------------------

    def _opened(self, ref: ops.Ref, value: Any) -> Any:
        if isinstance(ref, ops.Key | ops.Field):
            return None if value is None else self._open(_place(ref), value)
        if isinstance(ref, ops.WholeHash):
            return {name: self._open((ref.key, name), raw) for name, raw in value.items()}
        return value

    def _opened_beside(self, take: ops.Take, taken: ops.Taken) -> ops.Taken:
        cells = (companion.of(taken.member, take.mark) for companion in take.beside)
        opened = (
            self._opened(cell, value) if cell else None
            for cell, value in zip(cells, taken.values, strict=True)
        )
        return replace(taken, values=tuple(opened))

    def _open(self, place: tuple[str, ...], raw: bytes) -> bytes:
        if not is_sealed(raw):
            return raw
        place = (_name(place[0]), *place[1:])
        try:
            return unseal(self.ring, place, raw)
        except MissingKey as missing:
            raise KeyMissing(str(missing)) from None
        except BrokenSeal as broken:
            self._tell(str(broken))
            return raw

    def _tell(self, what: str) -> None:
        if what not in self._told and len(self._told) < MOST_TOLD:
            self._told.add(what)
            log.error("%s", what)


def sealed_store(store: Store, sealing: Sealing) -> Store:
    """A store that seals as a site does; the store itself when it has no keys."""
    return SealedStore(store, sealing.ring, sealing.seals) if sealing.ring else store


def below_seals(store: Store) -> Store:
    """The engine below, which knows nothing of seals."""
    return store.engine if isinstance(store, SealedStore) else store


def _place(cell: ops.Key | ops.Field) -> tuple[str, ...]:
    return (cell.key, cell.name) if isinstance(cell, ops.Field) else (cell.key,)


def _written(commit: ops.Commit) -> list[str]:
    wanted = (ops.Set, ops.HashSet, ops.Append)
    return [write.key for write in commit.writes if isinstance(write, wanted)]


def _name(key: str) -> str:
    """A key without its partition."""
    tag = _TAG.match(key) if key.startswith("{") else None
    return key[tag.end() :] if tag else key
