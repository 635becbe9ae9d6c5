"""Push nodes, looked at while somebody waits for the answer (CONTRACTS section 5)."""

from __future__ import annotations

import msgspec

from orchard.domain.errors import UnknownWorker
from orchard.domain.lifecycle import WorkerStatus
from orchard.domain.workers import Worker
from orchard.ports.nodes import check_health
from orchard.services import fleet, queries
from orchard.services.engine import arun

PUSH = "push"


async def list_checked() -> list[Worker]:
    """All workers; push nodes are asked how they are, agents go by their last sign of life.

    A node that answers has given a sign of life, and stays in the fleet for it.
    """
    found = await arun(queries.list_workers())
    health = await check_health([worker.url for worker in found if worker.mode == PUSH])
    return [await _heard(worker, health.get(worker.url)) for worker in found]


async def _heard(worker: Worker, answered: bool | None) -> Worker:
    if answered is None:
        return worker
    if not answered:
        return msgspec.structs.replace(worker, status=WorkerStatus.OFFLINE)
    try:
        return (await arun(fleet.heartbeat(worker.worker_id))).worker
    except UnknownWorker:  # removed while it was asked
        return worker
