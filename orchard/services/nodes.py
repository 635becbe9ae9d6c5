"""Push nodes, looked at while somebody waits for the answer (CONTRACTS section 5)."""

from __future__ import annotations

import msgspec

from orchard.domain import workers
from orchard.domain.errors import InvalidInput, UnknownWorker, WorkerExists
from orchard.domain.lifecycle import WorkerStatus
from orchard.domain.nodes import Condition
from orchard.domain.workers import Worker
from orchard.ports.nodes import NodeClient, NodeFault, check_health
from orchard.services import dispatch, fleet, queries
from orchard.services.engine import arun

PUSH = "push"


async def add(url: str, *, must_be_new: bool = False, concurrency: int = 1) -> Worker:
    """Take a push node into the fleet; it is asked first how it is.

    One that does not answer is taken in as well, and tried again: a phone may be asleep.

    Raises:
        InvalidInput: the URL is none, or leads to where no node may be.
        WorkerExists: it is known already, and ``must_be_new`` was asked.
    """
    address = workers.check_url(url)
    if must_be_new and await _is_known(address):
        raise WorkerExists
    fault = await _probe(address)
    if fault and fault.condition is Condition.FORBIDDEN:
        raise InvalidInput("url", fault.reason)
    await arun(
        fleet.register(url=address, mode=PUSH, concurrency=concurrency, must_be_new=must_be_new)
    )
    if fault:
        return await arun(dispatch.note_fault(address, fault.condition, fault.reason))
    return await arun(dispatch.note_sign(address))


async def list_checked() -> list[Worker]:
    """All workers; push nodes are asked how they are, agents go by their last sign of life.

    A node that answers has given a sign of life, and stays in the fleet for it.
    """
    found = await arun(queries.list_workers())
    urls = [worker.url for worker in found if worker.mode == PUSH]
    health = await check_health(urls, dispatch.allowed_networks())
    return [await _heard(worker, health.get(worker.url)) for worker in found]


async def _is_known(url: str) -> bool:
    try:
        await arun(queries.get_worker(workers.worker_id(url)))
    except UnknownWorker:
        return False
    return True


async def _probe(url: str) -> NodeFault | None:
    async with NodeClient(dispatch.allowed_networks()) as client:
        try:
            await client.probe(url)
        except NodeFault as fault:
            return fault
    return None


async def _heard(worker: Worker, answered: bool | None) -> Worker:
    if answered is None:
        return worker
    if not answered:
        return msgspec.structs.replace(worker, status=WorkerStatus.OFFLINE)
    try:
        return await arun(dispatch.note_sign(worker.url))
    except UnknownWorker:  # removed while it was asked
        return worker
