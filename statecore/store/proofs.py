"""Proofs: reads that are answered when a replica has what they saw; no I/O.

Where a commit counts when a replica has it, another may read it before. Who then
answers that something was done, or refuses because of it, has acknowledged what a
lost primary takes along. So a read that somebody decides on writes a mark behind
what it saw, in the same step, and waits for a replica to have that: an engine
confirms writes in their order, and reads not at all.
"""

from __future__ import annotations

from statecore.store import ops
from statecore.store.addresses import Address, Topology
from statecore.store.wire import Call

MARK = "replicated"
"""String with TTL: nothing; it is written for replicas to confirm."""
MARK_TTL_MS = 1000


def is_proof(request: ops.Request) -> bool:
    """Whether a request is a read that is to be proved."""
    return isinstance(request, ops.Read) and request.is_proof and bool(request.refs)


def proved(call: Call, address: Address) -> Call:
    """The call of a read that leaves a mark; its answer is the same."""
    keys = list(call.keys)
    keys.append(_mark_beside(keys[0], address))
    mark = ("SET", len(keys), 3, "", "PX", MARK_TTL_MS)
    return call._replace(keys=keys, arguments=[*call.arguments, *mark], is_proof=True)


def read_again(conflict: ops.Conflict) -> ops.Read:
    """The read that proves what a conflict says."""
    return ops.Read(tuple(conflict.current), is_proof=True)


def as_read(conflict: ops.Conflict, values: list[bytes | None]) -> ops.Conflict:
    """A conflict with what was read again."""
    return ops.Conflict(dict(zip(conflict.current, values, strict=True)))


def _mark_beside(key: str, address: Address) -> str:
    """The name of the mark, where a cluster has it on the same node as a key."""
    if address.topology is not Topology.CLUSTER:
        return MARK
    tag, closing, _ = key.partition("{")[2].partition("}")
    return f"{{{tag if tag and closing else key}}}{MARK}"
