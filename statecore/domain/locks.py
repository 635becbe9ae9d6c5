"""Locks by name: an owner, a lease, and a fencing token for what the lock protects.

The token is to be passed on to whatever is protected, which refuses smaller
ones: a lease alone cannot stop an owner that was paused (M. Kleppmann, *How
to do distributed locking*, 2016).
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from statecore.domain.errors import HeldByAnother, InvalidInput, StaleToken, UnknownLock
from statecore.domain.events import Event, LockAcquired, LockReleased
from statecore.domain.names import check_name

TTL_MAX_MS = 86_400_000


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """A lock that somebody holds."""

    name: str
    owner: str
    token: int
    ttl_ms: int
    acquired_at: datetime
    lease_until: datetime


class LockChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision on a lock leads to; ``lock`` is ``None`` when it is free."""

    lock: Lock | None
    events: tuple[Event, ...] = ()


def acquire(
    before: Lock | None, name: str, owner: str, ttl_ms: int, last_token: int, *, at: datetime
) -> LockChange:
    """Give a lock to an owner, unless another one holds it.

    ``last_token`` is the last one given out for this name, if that is known.
    The same owner gets it again with a new lease, and keeps its token.

    Raises:
        HeldByAnother: another owner holds it; names it.
        InvalidInput: name, owner or lease will not do.
    """
    check_name("lock", name)
    check_name("owner", owner)
    _check_ttl(ttl_ms)
    held = before if before and at < before.lease_until else None
    if held and held.owner != owner:
        raise HeldByAnother(f"Lock {name} is held by {held.owner}", holder=held.owner, lock=name)
    token = held.token if held else max(last_token + 1, _epoch_ms(at))
    until = at + timedelta(milliseconds=ttl_ms)
    lock = Lock(
        name=name, owner=owner, token=token, ttl_ms=ttl_ms, lease_until=until,
        acquired_at=held.acquired_at if held else at,
    )  # fmt: skip
    event = LockAcquired(at=at, lock=name, owner=owner, token=token, lease_until=until)
    return LockChange(lock=lock, events=(event,))


def renew(
    before: Lock | None, owner: str, token: int | None, ttl_ms: int | None, *, at: datetime
) -> LockChange:
    """Let the lease of the owner last from now.

    Raises:
        UnknownLock: nobody holds it (any more).
        HeldByAnother: another owner holds it.
        StaleToken: the same owner holds it anew.
    """
    lock = check_owner(before, owner, token, at)
    ttl_ms = ttl_ms or lock.ttl_ms
    _check_ttl(ttl_ms)
    until = at + timedelta(milliseconds=ttl_ms)
    return LockChange(lock=msgspec.structs.replace(lock, lease_until=until, ttl_ms=ttl_ms))


def release(before: Lock | None, owner: str, token: int | None, *, at: datetime) -> LockChange:
    """Take a lock back from its owner.

    Raises:
        UnknownLock: nobody holds it (any more).
        HeldByAnother: another owner holds it.
        StaleToken: the same owner holds it anew.
    """
    lock = check_owner(before, owner, token, at)
    return LockChange(lock=None, events=(LockReleased(at=at, lock=lock.name, owner=owner),))


def check_owner(before: Lock | None, owner: str, token: int | None, at: datetime) -> Lock:
    """The lock, if this owner holds it; see :func:`release` for what is raised."""
    if before is None or at >= before.lease_until:
        raise UnknownLock
    if before.owner != owner:
        raise HeldByAnother(
            f"Lock {before.name} is held by {before.owner}", holder=before.owner, lock=before.name
        )
    if token is not None and token != before.token:
        raise StaleToken(holder=before.owner, lock=before.name)
    return before


def _check_ttl(ttl_ms: int) -> None:
    if not 1 <= ttl_ms <= TTL_MAX_MS:
        raise InvalidInput("ttl_s", f"must be above 0 and at most {TTL_MAX_MS // 1000}")


def _epoch_ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
