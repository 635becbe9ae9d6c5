"""Who keeps: of all ambassadors one is active, under a lease that others see and wait for."""

from __future__ import annotations

import msgspec

from statecore import codec, keys
from statecore.repository import epoch_ms
from statecore.store import ops
from statecore.store.steps import Steps, now, read

_PLACE = ops.Key(keys.KEEPER)


class Held(msgspec.Struct, frozen=True):
    """What stands in the key of the lease: no two leases are the same."""

    owner: str
    token: int
    """When it was given, by the engine's clock, in ms since 1970."""


def take_over(owner: str, ttl_ms: int) -> Steps[bytes | None]:
    """The lease as it stands in the engine, when nobody else has one; else ``None``.

    ``owner`` must be another name each time that a process starts.
    """
    (standing,) = yield from read(_PLACE)
    if standing is not None:
        return None
    held = msgspec.json.encode(Held(owner, epoch_ms((yield from now()))))
    reply = yield ops.Commit({_PLACE: None}, (ops.Set(keys.KEEPER, held, ttl_ms),))
    return held if isinstance(reply, ops.Committed) else None


def renew(held: bytes, ttl_ms: int) -> Steps[bool]:
    """Let a lease last from now; false when it is lost."""
    reply = yield ops.Commit({_PLACE: held}, (ops.Expire(keys.KEEPER, ttl_ms),))
    return isinstance(reply, ops.Committed)


def give_back(held: bytes) -> Steps[None]:
    """Let the next one take over at once."""
    yield ops.Commit({_PLACE: held}, (ops.Delete((keys.KEEPER,)),))


def active() -> Steps[str | None]:
    """Who is active right now; ``None`` when nobody is."""
    (standing,) = yield from read(_PLACE)
    if standing is None:
        return None
    try:
        return msgspec.json.decode(standing, type=Held).owner
    except codec.UNREADABLE:
        return str(standing, "utf-8", "replace")


def only_while(held: bytes) -> dict[ops.Cell, bytes | None]:
    """What a commit expects that must not happen when this lease is lost."""
    return {_PLACE: held}
