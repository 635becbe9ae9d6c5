"""Push nodes, looked at while somebody waits for the answer (CONTRACTS section 5)."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
from asgiref.sync import async_to_sync

from orchard.domain import workers
from orchard.domain.errors import InvalidInput, UnknownWorker, WorkerExists
from orchard.domain.lifecycle import WorkerStatus
from orchard.domain.nodes import Condition
from orchard.domain.workers import Worker
from orchard.ports.nodes import NodeClient, NodeFault, check_health
from orchard.services import dispatch, fleet, queries
from orchard.services.engine import arun, run

PUSH = "push"


class Added(NamedTuple):
    """A node of the fleet, and whether it is new to it."""

    worker: Worker
    is_new: bool


def add(url: str, *, must_be_new: bool = False, metadata: dict[str, Any] | None = None) -> Added:
    """Take a push node into the fleet; it is asked first how it is.

    One that does not answer is taken in as well, and tried again: a phone may be asleep.

    Raises:
        InvalidInput: the URL is none, or leads to where no node may be.
        WorkerExists: it is known already, and ``must_be_new`` was asked.
    """
    address = workers.check_url(url)
    is_known = _is_known(address)
    if must_be_new and is_known:
        raise WorkerExists
    fault = async_to_sync(_probe)(address)
    if fault and fault.condition is Condition.FORBIDDEN:
        raise InvalidInput("url", fault.reason)
    run(fleet.register(url=address, mode=PUSH, metadata=metadata, must_be_new=must_be_new))
    noted = (
        dispatch.note_fault(address, fault.condition, fault.reason)
        if fault
        else dispatch.note_sign(address)
    )
    return Added(run(noted), is_new=not is_known)


async def list_checked() -> list[Worker]:
    """All workers; push nodes are asked how they are, agents go by their last sign of life.

    A node that answers has given a sign of life, and stays in the fleet for it.
    """
    found = await arun(queries.list_workers())
    urls = [worker.url for worker in found if worker.mode == PUSH]
    health = await check_health(urls, dispatch.allowed_networks())
    return [await _heard(worker, health.get(worker.url)) for worker in found]


def _is_known(url: str) -> bool:
    try:
        run(queries.get_worker(workers.worker_id(url)))
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
