"""Locks by name, for whatever else must not be done by two at once."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from statecore import codec, keys
from statecore.domain import locks
from statecore.domain.errors import DamagedRecord, HeldByAnother, LockTimeout, UnknownLock
from statecore.domain.locks import Lock, LockChange
from statecore.domain.names import check_name
from statecore.repository import Draft, epoch_ms
from statecore.services.engine import get_limits
from statecore.services.issue_lists import check_cursor
from statecore.store import ops
from statecore.store.cursors import make_cursor
from statecore.store.steps import Decision, Seen, Steps, now, read, scan_index, transact

LONGEST_PAUSE_S = 0.25
"""Longest time between two looks at a lock that is waited for."""


def acquire(name: str, owner: str, ttl_ms: int | None = None) -> Steps[Lock]:
    """Take a lock, if it is free or the owner's own.

    Raises:
        HeldByAnother: another owner holds it; names it.
        InvalidInput: name, owner or lease will not do.
    """
    lease_ms = get_limits().lock_ttl_ms if ttl_ms is None else ttl_ms
    return _sure(
        (
            yield from _change(
                name,
                lambda before, last, at: locks.acquire(before, name, owner, lease_ms, last, at=at),
            )
        )
    )


def wait_for(name: str, owner: str, ttl_ms: int | None = None, *, timeout_s: float) -> Steps[Lock]:
    """Take a lock as soon as it is free.

    Raises:
        LockTimeout: it was not, for ``timeout_s``; names the holder.
        InvalidInput: name, owner or lease will not do.
    """
    until = (yield from now()) + timedelta(seconds=timeout_s)
    pause_s = 0.01
    while True:
        try:
            return (yield from acquire(name, owner, ttl_ms))
        except HeldByAnother as held:
            if (yield from now()) >= until:
                raise LockTimeout(str(held), **held.facts) from None
        yield ops.Pause(pause_s * random.uniform(0.5, 1.5))  # noqa: S311
        pause_s = min(pause_s * 1.5, LONGEST_PAUSE_S)


def renew(
    name: str, owner: str, token: int | None = None, ttl_ms: int | None = None
) -> Steps[Lock]:
    """Let the lease of the owner last from now.

    Raises:
        UnknownLock: nobody holds it (any more).
        HeldByAnother: another owner holds it.
        StaleToken: the same owner holds it anew.
    """
    return _sure(
        (
            yield from _change(
                name, lambda before, _, at: locks.renew(before, owner, token, ttl_ms, at=at)
            )
        )
    )


def release(name: str, owner: str, token: int | None = None) -> Steps[None]:
    """Give a lock back.

    Raises:
        UnknownLock: nobody holds it (any more).
        HeldByAnother: another owner holds it.
        StaleToken: the same owner holds it anew.
    """
    yield from _change(name, lambda before, _, at: locks.release(before, owner, token, at=at))


def force_release(name: str, token: int | None = None) -> Steps[Lock]:
    """Take a lock from whoever holds it, by hand; what it was.

    With ``token`` only from the holder that has it. The former holder is not
    stopped by this: what the lock protects must refuse its token.

    Raises:
        UnknownLock: nobody holds it (any more).
        StaleToken: somebody holds it anew.
    """
    taken: list[Lock] = []

    def decide(before: Lock | None, _: int, at: datetime) -> LockChange:
        taken[:] = [before] if before else []
        owner = before.owner if before else ""
        return locks.release(before, owner, token, at=at)

    yield from _change(name, decide)
    return taken[0]


def get(name: str) -> Steps[Lock]:
    """Who holds a lock.

    Raises:
        UnknownLock: nobody does.
    """
    check_name("lock", name)
    (raw,) = yield from read(ops.Key(keys.lock(name)))
    if raw is None:
        raise UnknownLock(lock=name)
    return codec.decode_lock(name, raw)


class LockPage(msgspec.Struct, frozen=True):
    """One page of the locks that are held, and the cursor of the next."""

    locks: list[Lock]
    next: str | None
    count: int


def list_page(*, limit: int = 50, cursor: str = "", last_first: bool = False) -> Steps[LockPage]:
    """One page of the locks that are held: those first whose lease ends first, or last.

    Raises:
        InvalidInput: the cursor is none.
    """
    low = epoch_ms((yield from now()))
    entries = yield from scan_index(
        keys.LOCKS, limit, low=low, newest_first=last_first, after=check_cursor(cursor)
    )
    (count,) = yield from read(ops.Count(keys.LOCKS, low=low))
    found = yield from _find([name for name, _ in entries])
    last = entries[-1] if len(entries) == limit else None
    return LockPage(locks=found, next=make_cursor(*last) if last else None, count=count)


def list_locks(limit: int = 1000) -> Steps[list[Lock]]:
    """The locks that are held, those first whose lease ends first."""
    at = yield from now()
    entries = yield from scan_index(keys.LOCKS, limit, low=epoch_ms(at))
    return (yield from _find([name for name, _ in entries]))


def forget_expired() -> Steps[int]:
    """Drop locks from the index whose lease is over; how many."""
    at = yield from now()
    entries = yield from scan_index(keys.LOCKS, 500, high=epoch_ms(at) - 1000)
    for name, _ in entries:
        gone = (ops.SortedRemove(keys.LOCKS, (name,)),)
        yield ops.Commit({ops.Key(keys.lock(name)): None}, gone)
    return len(entries)


def _find(names: list[str]) -> Steps[list[Lock]]:
    """Those of these locks that are held and whose record can be read."""
    raws = yield from read(*(ops.Key(keys.lock(name)) for name in names))
    found = []
    for name, raw in zip(names, raws, strict=True):
        with suppress(DamagedRecord):
            found += [codec.decode_lock(name, raw)] if raw is not None else []
    return found


def _change(
    name: str, decide_on: Callable[[Lock | None, int, datetime], LockChange]
) -> Steps[Lock | None]:
    check_name("lock", name)
    place, fence = ops.Key(keys.lock(name)), ops.Key(keys.lock_fence(name))

    def decide(seen: Seen, at: datetime) -> Decision[Lock | None]:
        raw, last = seen[place], seen[fence]
        before = None if raw is None else codec.decode_lock(name, raw)
        token = int(last) if last and last.isdigit() else 0
        change = decide_on(before, token, at)
        draft = Draft(get_limits(), at)
        draft.lock(name, change.lock, change.lock.token if change.lock else token)
        draft.events(change.events)
        return Decision(change.lock, draft.writes())

    return (yield from transact([place, fence], decide))


def _sure(lock: Lock | None) -> Lock:
    if lock is None:
        raise UnknownLock
    return lock
