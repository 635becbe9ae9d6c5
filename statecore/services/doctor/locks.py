"""Locks: each in the list, with an end, and with a token that is remembered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from statecore import codec, keys
from statecore.domain.errors import DamagedRecord
from statecore.domain.locks import Lock
from statecore.repository import epoch_ms
from statecore.services.doctor.catalogue import LOCK
from statecore.services.doctor.snapshots import Fault, RecordExaminer
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.drafts import Later, WriteDraft
from statecore.store.walking import look_at

SLACK_MS = 5_000


class LockSeen(NamedTuple):
    """A lock and all that is said of it."""

    name: str
    raw: bytes | None
    lock: Lock | None
    fence: int
    listed: float | None
    ttl_ms: int | None


class LockExaminer(RecordExaminer[LockSeen]):
    """Locks by name."""

    kind = LOCK

    def read(self, store: Store, names: Sequence[str]) -> Iterator[LockSeen]:
        """These locks."""
        return (_read(store, name) for name in names)

    def judge(self, seen: LockSeen, at: datetime) -> Iterator[Fault]:
        """All that is wrong with a lock."""
        return judge(seen, at)

    def record(self, seen: LockSeen) -> Mapping[ops.Cell, bytes | None]:
        """The lock itself."""
        return {ops.Key(keys.lock(seen.name)): seen.raw}

    def writes(self, store: Store, seen: LockSeen) -> Sequence[ops.Write]:
        """What follows from the lock."""
        return _writes(seen, store.now())


def judge(seen: LockSeen, at: datetime) -> Iterator[Fault]:
    """All that is wrong with a lock."""
    if seen.raw is None:
        if seen.listed is not None and seen.listed > epoch_ms(at) + SLACK_MS:
            yield "lock-gone", "Nobody holds it."
    elif seen.lock is None:
        yield "lock-unreadable", "The record is no lock."
    else:
        if seen.listed is None:
            yield "lock-unlisted", f"{seen.lock.owner} holds it."
        if seen.ttl_ms is None:
            yield "lock-ttl", f"{seen.lock.owner} would hold it for ever."
        if seen.fence < seen.lock.token:
            yield "fence-behind", f"It remembers {seen.fence}; given out was {seen.lock.token}."


def _writes(seen: LockSeen, at: datetime) -> tuple[ops.Write, ...]:
    draft = WriteDraft()
    if seen.lock is None:
        draft.place(keys.LOCKS, seen.name, None)
        draft.delete(keys.lock(seen.name))
        return draft.writes()
    left_ms = max(1, epoch_ms(seen.lock.lease_until) - epoch_ms(at))
    draft.put(keys.lock(seen.name), seen.raw or b"", left_ms)
    token = str(max(seen.fence, seen.lock.token)).encode()
    draft.put(keys.lock_fence(seen.name), token, keys.FENCE_TTL_MS + left_ms)
    draft.place(keys.LOCKS, seen.name, Later(left_ms))
    return draft.writes()


def _read(store: Store, name: str) -> LockSeen:
    place, fence = ops.Key(keys.lock(name)), ops.Key(keys.lock_fence(name))
    raw, last, listed = store.read(place, fence, ops.Score(keys.LOCKS, name))
    (fact,) = look_at(store, [keys.lock(name)])
    token = int(last) if last and last.isdigit() else 0
    return LockSeen(name, raw, _decoded(name, raw), token, listed, fact.ttl_ms)


def _decoded(name: str, raw: bytes | None) -> Lock | None:
    try:
        return None if raw is None else codec.decode_lock(name, raw)
    except DamagedRecord:
        return None
