"""Reports: what workers say of their chunks, and what silence says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from orchard.domain import chunks, doubts, jobs
from orchard.domain.chunks import Chunk, ChunkChange, parse_chunk_id
from orchard.domain.errors import OrchardError
from orchard.domain.jobs import Job
from orchard.domain.lifecycle import ChunkStatus
from orchard.domain.timeline import ChunkResult
from orchard.repository import Draft, chunk_cell, find_chunk, find_job, job_cell
from orchard.services.hearing import hear
from orchard.services.limits import chunk_policy, keeping
from orchard.services.lookups import (
    draft_chunk,
    is_open,
    place_of,
    require_chunk,
    require_open,
)
from orchard.services.said import Accepted, Outcome, Report, Setback
from statecore.store import ops
from statecore.store.steps import Decision, Seen, Steps, transact


def progress(chunk_name: str, worker_id: str, token: int, share: float) -> Steps[datetime]:
    """Note how far a worker is (0 to 1), extend its lease, and answer with the new deadline.

    Raises:
        UnknownChunk: there is no such chunk.
        StaleToken: the worker no longer holds it.
    """
    job_id, index = place_of(chunk_name)

    def decide(seen: Seen, at: datetime) -> Decision[datetime]:
        chunk = require_chunk(seen, job_id, index)
        change = chunks.progress_chunk(job_id, chunk, share, token, at=at)
        draft = Draft(keeping(), at)
        draft_chunk(draft, job_id, chunk, change)
        lease = timedelta(milliseconds=keeping().chunk_lease_ms)
        return Decision(at + lease, draft.writes())

    return (yield from transact([chunk_cell(job_id, index)], decide))


def complete(chunk_name: str, worker_id: str, token: int, result: ChunkResult) -> Steps[Accepted]:
    """Accept the result of a chunk; see :func:`hear`.

    Raises:
        UnknownJob, UnknownChunk: there is no such chunk.
        StaleToken: somebody else holds it now.
        TransitionRefused: it is a dead letter, or its job was cancelled.
    """
    report = Report(chunk_id=chunk_name, worker_id=worker_id, token=token, result=result)
    return _counting(*(yield from hear([report])))


def complete_many(reports: Sequence[Report]) -> Steps[list[Outcome]]:
    """Accept the results of several chunks; see :func:`hear`."""
    return hear(reports)


def fail(
    chunk_name: str, worker_id: str, token: int, error: str, *, retry: bool = True,
    handback: bool = False,
) -> Steps[Chunk]:  # fmt: skip
    """Note that a worker could not do a chunk: it rests and is tried again, or is buried.

    A handed-back chunk returns to the queue at once and costs no attempt.

    Raises:
        UnknownJob, UnknownChunk: there is no such chunk.
        StaleToken: somebody else holds it now.
    """
    setback = Setback(
        chunk_id=chunk_name, worker_id=worker_id, token=token, error=error, retry=retry,
        handback=handback,
    )  # fmt: skip
    return _counting(*(yield from hear([setback]))).chunk


def _counting(outcome: Outcome) -> Accepted:
    if isinstance(outcome, OrchardError):
        raise outcome
    return outcome


def requeue(chunk_name: str, reason: str) -> Steps[Chunk]:
    """Take a chunk from its worker by hand; it returns to the queue and costs no attempt.

    Raises:
        UnknownJob, UnknownChunk: there is no such chunk.
        TransitionRefused: no worker has it.
    """
    return (yield from _by_hand(chunk_name, chunks.hand_back, reason))


def bury(chunk_name: str, reason: str) -> Steps[Chunk]:
    """Give a chunk up by hand; its job goes on without it.

    Raises:
        UnknownJob, UnknownChunk: there is no such chunk.
        TransitionRefused: it is settled already.
    """
    return (yield from _by_hand(chunk_name, chunks.bury_chunk, reason))


def _by_hand(chunk_name: str, change: Callable[..., ChunkChange], reason: str) -> Steps[Chunk]:
    job_id, index = place_of(chunk_name)

    def decide(seen: Seen, at: datetime) -> Decision[Chunk]:
        job, chunk = require_open(seen, job_id, index)
        return _settled(job, chunk, change(job_id, chunk, reason, at=at), at)

    cells: list[ops.Cell] = [job_cell(job_id), chunk_cell(job_id, index)]
    return (yield from transact(cells, decide, hot=[job_id]))


def expire(chunk_name: str, holder: str = "", lane: str = "") -> Steps[None]:
    """Bring back a chunk whose lease or rest is over; heals names that stand for nothing.

    With ``holder`` only as long as this worker has it: it began anew, and knows nothing of it.
    ``lane`` is where a name was met that may stand for nothing.
    """
    place = parse_chunk_id(chunk_name)
    job_id, index = place or ("", 0)

    def decide(seen: Seen, at: datetime) -> Decision[None]:
        job, chunk = find_job(seen, job_id), find_chunk(seen, job_id, index)
        draft = Draft(keeping(), at)
        if place is None or job is None or chunk is None or not is_open(job, chunk):
            draft.drop_chunk_name(chunk_name, chunk.lane if chunk else lane)
            return Decision(None, draft.writes())
        if chunk.status is ChunkStatus.WAITING:
            draft.chunk(job_id, chunk, msgspec.structs.replace(chunk, not_before=None))
            return Decision(None, () if holder else draft.writes())
        if holder and chunk.token_of(holder) is None:
            return Decision(None)
        change = (
            chunks.lose_chunk(job_id, chunk, holder, chunk_policy(), at=at)
            if holder
            else chunks.expire_chunk(job_id, chunk, chunk_policy(), at=at)
        )
        settled = _settled(job, chunk, doubts.rather_first(job, change, at=at), at)
        return Decision(None, settled.writes)

    cells: list[ops.Cell] = [job_cell(job_id), chunk_cell(job_id, index)]
    yield from transact(cells, decide, hot=[job_id])


def _settled(job: Job, before: Chunk, change: ChunkChange, at: datetime) -> Decision[Chunk]:
    draft = Draft(keeping(), at)
    draft_chunk(draft, job.job_id, before, change)
    if change.settled:
        counted = jobs.settle_chunk(job, change.chunk.status, at=at)
        draft.job(job, counted.job)
        draft.events(counted.events)
    return Decision(change.chunk, draft.writes())
