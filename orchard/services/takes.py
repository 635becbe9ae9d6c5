"""Takes: names of a queue under a lease, with the records that they stand for."""

from __future__ import annotations

from statecore.store import ops
from statecore.store.errors import WrongType
from statecore.store.steps import Steps, take, take_with


def take_known(
    queue: str, leases: str, count: int, ttl_ms: int, mark: str, *beside: ops.Companion
) -> Steps[list[ops.Taken]]:
    """Lease up to ``count`` members of a queue and read what is beside them.

    Where another program put something of another type in the place of one, all come
    without what is beside them, so that one does not hold up the rest.
    """
    try:
        return (yield from take_with(queue, leases, count, ttl_ms, mark, *beside))
    except WrongType:
        names = yield from take(queue, leases, count, ttl_ms)
        return [ops.Taken(name, ()) for name in names]
