"""Dispatching: push nodes are held by one dispatcher at a time, and what they do is noted."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from orchard import keys
from orchard.conf import get_conf
from orchard.domain import nodes, workers
from orchard.domain.errors import NotFound, StaleToken
from orchard.domain.lifecycle import WorkerStatus
from orchard.domain.nodes import Condition, NodeHealth, Rests
from orchard.domain.workers import Worker
from orchard.ports.node_addresses import Network, parse_networks
from orchard.repository import Draft, chunk_cell, epoch_ms, find_chunk, worker_cell
from orchard.services import queries, reports
from orchard.services.limits import keeping
from orchard.services.lookups import draft_worker, place_of, require_worker, touch, url_of
from statecore.store import ops
from statecore.store.drafts import Later, WriteDraft
from statecore.store.steps import Decision, Seen, Steps, commit, now, read, scan_index, transact

LEASE_MS = 5_000
"""How long a dispatcher holds its nodes unheard, and counts as at work."""
REST_MAX_S = 60.0
CHECK_EVERY_S = 10.0
"""How often a node that has nothing to do is asked how it is, in seconds."""

Change = Callable[[NodeHealth | None, datetime], NodeHealth]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to do about a node now."""

    worker: Worker
    rest_s: float
    """Until then it gets no chunk."""
    check_s: float
    """Until then it need not be asked how it is."""


def allowed_networks() -> tuple[Network, ...]:
    """The networks that nodes may be in, by the settings."""
    return parse_networks(get_conf().node_networks)


def rests() -> Rests:
    """How long nodes rest; never so long that one is forgotten meanwhile."""
    conf = get_conf()
    longest_s = min(REST_MAX_S, conf.worker_ttl_s / 4)
    return Rests(first_s=min(conf.node_rest_s, longest_s), longest_s=longest_s)


def find_nodes() -> Steps[list[Worker]]:
    """All push nodes of the fleet."""
    found = yield from queries.list_workers()
    return [worker for worker in found if worker.mode == "push"]


def sign_in(holder: str) -> Steps[int]:
    """Show that a dispatcher is at work; answers with how many are."""
    at_ms = epoch_ms((yield from now()))
    found = yield from scan_index(keys.DISPATCHERS, 1000)
    draft = WriteDraft()
    for name, until in found:
        if until < at_ms:
            draft.place(keys.DISPATCHERS, name, None)
    draft.place(keys.DISPATCHERS, holder, Later(LEASE_MS))
    yield from commit({}, *draft.writes())
    return len({name for name, until in found if until >= at_ms} | {holder})


def sign_out(holder: str) -> Steps[None]:
    """Show that a dispatcher has ended."""
    draft = WriteDraft()
    draft.place(keys.DISPATCHERS, holder, None)
    yield from commit({}, *draft.writes())


def share(nodes: int, dispatchers: int) -> int:
    """How many nodes each of several dispatchers drives at most."""
    return math.ceil(nodes / max(1, dispatchers))


def hold_node(url: str, holder: str) -> Steps[bool]:
    """Become, or stay, the one dispatcher that drives a node; it falls free after 5 s."""
    cell = ops.Key(keys.node_lease(url))

    def decide(seen: Seen, at: datetime) -> Decision[bool]:
        if seen[cell] not in (None, holder.encode()):
            return Decision(False)
        return Decision(True, (ops.Set(cell.key, holder.encode(), LEASE_MS),))

    return (yield from transact([cell], decide))


def release_node(url: str, holder: str) -> Steps[None]:
    """Let another dispatcher drive a node."""
    cell = ops.Key(keys.node_lease(url))

    def decide(seen: Seen, at: datetime) -> Decision[None]:
        held = seen[cell] == holder.encode()
        return Decision(None, (ops.Delete((cell.key,)),) if held else ())

    yield from transact([cell], decide)


def release_chunks(worker_id: str, reason: str) -> Steps[list[str]]:
    """Return the chunks that a node's last dispatcher left with it; their answers are lost.

    Raises:
        UnknownWorker: it is not in the fleet.
    """
    worker = yield from queries.get_worker(worker_id)
    for name in worker.pending_chunks:
        place = place_of(name)
        cell = chunk_cell(*place)
        (raw,) = yield from read(cell)
        chunk = find_chunk({cell: raw}, *place)
        token = chunk.token_of(worker_id) if chunk else None
        if token is not None:
            yield from hand_back(name, worker_id, token, reason)
    yield from touch(worker.url, lost=worker.pending_chunks)
    return list(worker.pending_chunks)


def hand_back(name: str, worker_id: str, token: int, reason: str) -> Steps[None]:
    """Return a chunk without cost, unless somebody else has it, or it is gone."""
    try:
        yield from reports.fail(name, worker_id, token, reason, handback=True)
    except (NotFound, StaleToken):
        return


def plan(worker_id: str) -> Steps[Plan]:
    """What to do about a node now.

    Raises:
        UnknownWorker: it is not in the fleet (any more).
    """
    worker = yield from queries.get_worker(worker_id)
    at = yield from now()
    node = worker.node
    rest_s = (node.retry_at - at).total_seconds() if node and node.retry_at else 0.0
    heard_s = (at - worker.last_updated).total_seconds()
    check_s = rest_s if worker.is_away else _check_every_s() - heard_s
    return Plan(worker=worker, rest_s=max(0.0, rest_s), check_s=max(0.0, check_s))


def is_wanted_elsewhere(worker: Worker) -> Steps[bool]:
    """Whether another worker is there that could do what this one failed."""
    fleet = yield from queries.list_workers()
    return any(_is_able(one) for one in fleet if one.url != worker.url)


def note_sign(url: str) -> Steps[Worker]:
    """Note that a node answered when it was asked how it is.

    Raises:
        UnknownWorker: it is not in the fleet (any more).
    """
    return _note(url, lambda health, at: nodes.note_sign(health, at=at))


def note_success(url: str) -> Steps[Worker]:
    """Note that a node has done a chunk; raises as :func:`note_sign`."""
    return _note(url, lambda health, at: nodes.note_success(health, at=at))


def note_fault(url: str, condition: Condition, reason: str, chunk: str = "") -> Steps[Worker]:
    """Note what is the matter with a node, and let it rest; raises as :func:`note_sign`."""

    def change(health: NodeHealth | None, at: datetime) -> NodeHealth:
        return nodes.note_fault(health, condition, reason, rests(), at=at, chunk=chunk)

    return _note(url, change)


def note_avoided(worker_id: str) -> Steps[Worker]:
    """Let a node pause that was given nothing but what it failed before; raises as above."""

    def change(health: NodeHealth | None, at: datetime) -> NodeHealth:
        known = health or NodeHealth(condition=Condition.WELL)
        until = at + timedelta(seconds=rests().first_s)
        return msgspec.structs.replace(known, retry_at=until)

    return _note(url_of(worker_id), change)


def _note(url: str, change: Change) -> Steps[Worker]:
    def decide(seen: Seen, at: datetime) -> Decision[Worker]:
        worker = require_worker(seen, url)
        noted = workers.note_node(worker, change(worker.node, at), at=at)
        draft = Draft(keeping(), at)
        draft_worker(draft, noted)
        return Decision(noted.worker, draft.writes())

    return (yield from transact([worker_cell(url)], decide, hot=[url]))


def _check_every_s() -> float:
    return min(CHECK_EVERY_S, get_conf().worker_online_s / 3)


def _is_able(worker: Worker) -> bool:
    is_well = worker.node is None or worker.node.condition is Condition.WELL
    is_here = worker.status is not WorkerStatus.OFFLINE
    return is_well and is_here and not (worker.draining or worker.paused)
