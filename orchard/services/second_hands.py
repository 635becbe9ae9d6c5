"""Second hands: a chunk whose first result was doubted goes to another worker, if there is one."""

from __future__ import annotations

from collections.abc import Sequence

from orchard.domain.lifecycle import WorkerStatus
from orchard.domain.nodes import Condition
from orchard.domain.orders import can_serve
from orchard.domain.workers import Worker
from orchard.services import queries
from statecore.store.steps import Steps


def has_others(worker: Worker, lanes: Sequence[str]) -> Steps[bool]:
    """Whether somebody else is there, and able, to do a chunk of one of these lanes."""
    fleet = yield from queries.list_workers()
    return any(_is_able(one, lanes) for one in fleet if one.url != worker.url)


def _is_able(worker: Worker, lanes: Sequence[str]) -> bool:
    is_here = worker.status is not WorkerStatus.OFFLINE
    is_well = worker.node is None or worker.node.condition is Condition.WELL
    is_free = not (worker.draining or worker.paused)
    serves = any(can_serve(lane, worker.types, worker.labels) for lane in lanes)
    return is_here and is_well and is_free and serves
