"""The fleet: workers join, show that they are alive, are directed, and leave."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from orchard.domain import chunks, workers
from orchard.domain.chunks import Chunk, parse_chunk_id
from orchard.domain.errors import WorkerExists
from orchard.domain.events import WorkerRemoved
from orchard.domain.lifecycle import ChunkStatus
from orchard.domain.workers import Worker, WorkerChange
from orchard.repository import (
    Draft,
    chunk_cell,
    find_chunk,
    find_worker,
    job_cell,
    worker_cell,
)
from orchard.services.limits import keeping
from orchard.services.lookups import (
    draft_chunk,
    draft_worker,
    place_of,
    require_worker,
    touch,
    url_of,
)
from orchard.services.reports import expire
from statecore.store import ops
from statecore.store.steps import Decision, Seen, Steps, group_by_partition, locate, read, transact

Held = tuple[str, int, tuple[str, int]]
"""A chunk that a worker says it holds: its name, the fencing token, its job and index."""


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a sign of life: which leases were extended, and which are lost."""

    worker: Worker
    extended: tuple[str, ...]
    lost: tuple[str, ...]


def register(
    *, name: str = "", url: str = "", mode: str = "pull", concurrency: int = 1,
    metadata: dict[str, Any] | None = None, must_be_new: bool = False,
    types: Sequence[str] = workers.RECORDINGS, labels: Sequence[str] = (),
) -> Steps[Worker]:  # fmt: skip
    """Take a worker into the fleet: an agent by name, or a push node by URL.

    An agent that registers has nothing at hand: what it held before it began
    anew returns to the queue, and has cost an attempt.

    Raises:
        InvalidInput: neither name nor URL will do.
        WorkerExists: it is known already, and ``must_be_new`` was asked.
    """
    address = workers.check_url(url) if url else workers.check_name(name)
    left: tuple[str, ...] = ()

    def decide(seen: Seen, at: datetime) -> Decision[Worker]:
        nonlocal left
        known = find_worker(seen, address)
        if known and must_be_new:
            raise WorkerExists
        left = known.pending_chunks if known and mode == "pull" else ()
        change = workers.register_worker(
            known,
            address,
            mode=mode,
            concurrency=concurrency,
            metadata=metadata or {},
            at=at,
            types=types,
            labels=labels,
        )
        return _worker_decision(change, at)

    worker = yield from transact([worker_cell(address)], decide)
    for chunk_name in left:
        yield from expire(chunk_name, holder=worker.worker_id)
    return worker


def heartbeat(worker_id: str, leases: Sequence[tuple[str, int]] = ()) -> Steps[Heartbeat]:
    """Note a sign of life, and extend the leases that the worker still holds.

    Raises:
        UnknownWorker: it is not in the fleet (any more).
    """
    url = url_of(worker_id)
    held = [(name, token, place) for name, token in leases if (place := parse_chunk_id(name))]
    groups = yield from group_by_partition(held, _job_key)
    (home,) = yield from locate(worker_cell(url).key)
    beside = groups.pop(home, [])
    extended: list[str] = []
    for together in groups.values():
        extended += yield from _extend(together)
    cells: list[ops.Cell] = [worker_cell(url), *(chunk_cell(*place) for _, _, place in beside)]

    def decide(seen: Seen, at: datetime) -> Decision[Heartbeat]:
        draft = Draft(keeping(), at)
        gained = [*extended, *_draft_leases(draft, seen, beside)]
        lost = tuple(name for name, _ in leases if name not in gained)
        change = workers.hear_from(require_worker(seen, url), at=at, gained=gained, lost=lost)
        draft_worker(draft, change)
        beat = Heartbeat(worker=change.worker, extended=tuple(gained), lost=lost)
        return Decision(beat, draft.writes())

    beat = yield from transact(cells, decide, hot=[url])
    unnamed = [name for name in beat.worker.pending_chunks if name not in beat.extended]
    if unnamed:
        yield from _correct(beat.worker, unnamed)
    return beat


def _correct(worker: Worker, names: Sequence[str]) -> Steps[None]:
    """Take chunks off a worker's record that it does not hold.

    They stand there when the process that took a report died before it noted so.
    A claim starts its chunk before it notes it, so nothing is missed here.
    """
    places = {name: place for name in names if (place := parse_chunk_id(name))}
    cells: list[ops.Cell] = [chunk_cell(*place) for place in places.values()]
    seen: Seen = dict(zip(cells, (yield from read(*cells)), strict=True))
    held = {name: find_chunk(seen, *place) for name, place in places.items()}
    if lost := [name for name in names if not _is_with(worker, held.get(name))]:
        yield from touch(worker.url, lost=lost)


def _is_with(worker: Worker, chunk: Chunk | None) -> bool:
    return chunk is not None and chunk.token_of(worker.worker_id) is not None


def _extend(held: Sequence[Held]) -> Steps[list[str]]:
    """Extend leases of chunks of one partition, as far as they are still held."""

    def decide(seen: Seen, at: datetime) -> Decision[list[str]]:
        draft = Draft(keeping(), at)
        return Decision(_draft_leases(draft, seen, held), draft.writes())

    return (yield from transact([chunk_cell(*place) for _, _, place in held], decide))


def _draft_leases(draft: Draft, seen: Seen, held: Sequence[Held]) -> list[str]:
    """Extend what is still held; the names of it."""
    still: list[str] = []
    for name, token, place in held:
        chunk = find_chunk(seen, *place)
        if chunk and _holds(chunk, token):
            draft.extend(place[0], chunk)
            still.append(name)
    return still


def _job_key(held: Held) -> str:
    return job_cell(held[2][0]).key


def drain(worker_id: str) -> Steps[Worker]:
    """Let a worker finish what it has, and give it no more."""
    return _direct(worker_id, draining=True)


def pause(worker_id: str) -> Steps[Worker]:
    """Give a worker no more work until it is resumed."""
    return _direct(worker_id, paused=True)


def resume(worker_id: str) -> Steps[Worker]:
    """Give a drained or paused worker work again."""
    return _direct(worker_id, draining=False, paused=False)


def remove(worker_id: str, reason: str = "removed") -> Steps[Worker]:
    """Take a worker out of the fleet; the chunks it holds return to the queue at once.

    Raises:
        UnknownWorker: it is not in the fleet.
    """
    url = url_of(worker_id)

    def decide(seen: Seen, at: datetime) -> Decision[Worker]:
        worker = require_worker(seen, url)
        draft = Draft(keeping(), at)
        draft.drop_worker(url)
        draft.events([WorkerRemoved(at=at, worker_id=worker.worker_id, reason=reason)])
        return Decision(worker, draft.writes())

    worker = yield from transact([worker_cell(url)], decide, hot=[url])
    yield from _release(worker, f"worker {reason}")
    return worker


def _release(worker: Worker, reason: str) -> Steps[None]:
    """Return the chunks of a worker that left to the queue."""
    for name in worker.pending_chunks:
        job_id, index = place_of(name)

        def decide(
            seen: Seen, at: datetime, job_id: str = job_id, index: int = index
        ) -> Decision[None]:
            chunk = find_chunk(seen, job_id, index)
            token = chunk.token_of(worker.worker_id) if chunk else None
            if chunk is None or token is None:
                return Decision(None)
            draft = Draft(keeping(), at)
            change = chunks.hand_back(job_id, chunk, reason, at=at, token=token)
            draft_chunk(draft, job_id, chunk, change)
            return Decision(None, draft.writes())

        yield from transact([chunk_cell(job_id, index)], decide)


def _direct(
    worker_id: str, *, draining: bool | None = None, paused: bool | None = None
) -> Steps[Worker]:
    url = url_of(worker_id)

    def decide(seen: Seen, at: datetime) -> Decision[Worker]:
        change = workers.direct_worker(
            require_worker(seen, url), draining=draining, paused=paused, at=at
        )
        return _worker_decision(change, at)

    return (yield from transact([worker_cell(url)], decide, hot=[url]))


def _worker_decision(change: WorkerChange, at: datetime) -> Decision[Worker]:
    draft = Draft(keeping(), at)
    draft_worker(draft, change)
    return Decision(change.worker, draft.writes())


def _holds(chunk: Chunk, token: int) -> bool:
    return chunk.status is ChunkStatus.RUNNING and chunk.has_token(token)
