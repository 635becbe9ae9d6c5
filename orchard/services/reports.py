"""Reports: what workers say of their chunks, and what silence says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from orchard.domain import chunks, jobs, workers
from orchard.domain.chunks import Chunk, ChunkChange, parse_chunk_id
from orchard.domain.errors import OrchardError, UnknownJob
from orchard.domain.jobs import Job
from orchard.domain.lifecycle import ChunkStatus
from orchard.domain.timeline import ChunkResult
from orchard.domain.workers import Speed
from orchard.repository import Draft, chunk_cell, find_chunk, find_job, job_cell
from orchard.services.limits import chunk_policy, keeping
from orchard.services.lookups import (
    chunk_of,
    draft_chunk,
    is_open,
    place_of,
    require_chunk,
    require_open,
    touch,
    url_of,
)
from statecore.store import ops
from statecore.store.steps import Decision, Seen, Steps, group_by_partition, transact


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a chunk, as its worker sends it. Times count from the chunk's start."""

    chunk_id: str
    worker_id: str
    token: int
    result: ChunkResult


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """A report that counts, or that counted already."""

    chunk: Chunk
    repeated: bool


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
    """Accept the result of a chunk; see :func:`complete_many`.

    Raises:
        UnknownJob, UnknownChunk: there is no such chunk.
        StaleToken: somebody else holds it now.
        TransitionRefused: it is a dead letter, or its job was cancelled.
    """
    report = Report(chunk_id=chunk_name, worker_id=worker_id, token=token, result=result)
    (outcome,) = yield from complete_many([report])
    if isinstance(outcome, OrchardError):
        raise outcome
    return outcome


def complete_many(reports: Sequence[Report]) -> Steps[list[Accepted | OrchardError]]:
    """Accept the results of several chunks; one refusal does not stop the others.

    The count of a job, its next state, the result and the events change with
    the chunks or not at all: those of one partition in one step. A repeated
    report is answered like the first.
    """
    outcomes: dict[int, Accepted | OrchardError] = {}
    numbered = list(enumerate(reports))
    for together in (yield from group_by_partition(numbered, _job_key)).values():
        done = yield from _complete_together([report for _, report in together])
        outcomes |= dict(zip([number for number, _ in together], done, strict=True))
    ordered = [outcomes[number] for number, _ in numbered]
    yield from _credit(reports, ordered)
    return ordered


def _complete_together(reports: Sequence[Report]) -> Steps[list[Accepted | OrchardError]]:
    """Accept results for jobs of one partition in one step."""
    places = [parse_chunk_id(report.chunk_id) for report in reports]
    job_ids = sorted({place[0] for place in places if place})
    cells: list[ops.Cell] = [job_cell(job_id) for job_id in job_ids]
    cells += dict.fromkeys(chunk_cell(*place) for place in places if place)

    def decide(seen: Seen, at: datetime) -> Decision[list[Accepted | OrchardError]]:
        batch = _Batch(seen, at)
        outcomes = [
            batch.complete(report, place) for report, place in zip(reports, places, strict=True)
        ]
        return Decision(outcomes, batch.writes())

    return (yield from transact(cells, decide, hot=job_ids))


def _job_key(numbered: tuple[int, Report]) -> str:
    place = parse_chunk_id(numbered[1].chunk_id)
    return job_cell(place[0]).key if place else ""


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
    job_id, index = place_of(chunk_name)

    def decide(seen: Seen, at: datetime) -> Decision[Chunk]:
        job, chunk = require_open(seen, job_id, index)
        chunks.check_holder(chunk, token)
        if chunk.status is not ChunkStatus.RUNNING:
            return Decision(chunk)  # a repeated report
        if handback:
            change = chunks.hand_back(job_id, chunk, error, at=at)
        else:
            change = chunks.fail_chunk(job_id, chunk, error, chunk_policy(), retry=retry, at=at)
        return _settled(job, chunk, change, at)

    cells: list[ops.Cell] = [job_cell(job_id), chunk_cell(job_id, index)]
    chunk = yield from transact(cells, decide, hot=[job_id])
    yield from touch(url_of(worker_id), lost=[chunk_name])
    return chunk


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


def expire(chunk_name: str, holder: str = "") -> Steps[None]:
    """Bring back a chunk whose lease or rest is over; heals names that stand for nothing.

    With ``holder`` only as long as this worker has it: it began anew, and knows nothing of it.
    """
    place = parse_chunk_id(chunk_name)
    job_id, index = place or ("", 0)

    def decide(seen: Seen, at: datetime) -> Decision[None]:
        job, chunk = find_job(seen, job_id), find_chunk(seen, job_id, index)
        draft = Draft(keeping(), at)
        if place is None or job is None or chunk is None or not is_open(job, chunk):
            draft.drop_chunk_name(chunk_name)
            return Decision(None, draft.writes())
        if chunk.status is ChunkStatus.WAITING:
            draft.chunk(job_id, chunk, msgspec.structs.replace(chunk, not_before=None))
            return Decision(None, () if holder else draft.writes())
        if holder and chunk.worker_id != holder:
            return Decision(None)
        change = chunks.expire_chunk(job_id, chunk, chunk_policy(), at=at)
        settled = _settled(job, chunk, change, at)
        return Decision(None, settled.writes)

    cells: list[ops.Cell] = [job_cell(job_id), chunk_cell(job_id, index)]
    yield from transact(cells, decide, hot=[job_id])


class _Batch:
    """Completions decided one after the other, each on what the ones before it leave."""

    def __init__(self, seen: Seen, at: datetime) -> None:
        self._seen, self._at = seen, at
        self._draft = Draft(keeping(), at)
        self._jobs: dict[str, tuple[Job, Job]] = {}
        self._chunks: dict[tuple[str, int], Chunk] = {}

    def complete(self, report: Report, place: tuple[str, int] | None) -> Accepted | OrchardError:
        try:
            return self._complete(report, *(place or place_of(report.chunk_id)))
        except OrchardError as refusal:
            return refusal

    def writes(self) -> tuple[ops.Write, ...]:
        for before, after in self._jobs.values():
            self._draft.job(before, after)
        return self._draft.writes()

    def _complete(self, report: Report, job_id: str, index: int) -> Accepted:
        before, job = self._jobs.get(job_id) or (None, find_job(self._seen, job_id))
        if job is None:
            raise UnknownJob
        chunk = self._chunks.get((job_id, index)) or chunk_of(self._seen, job, index)
        summary = chunks.Summary(
            text_length=len(report.result.text),
            segments_count=len(report.result.segments),
        )
        change = chunks.complete_chunk(
            job_id, chunk, token=report.token, time_ms=report.result.time_ms, summary=summary,
            completed_chunks=job.completed_chunks, total_chunks=job.total_chunks, at=self._at,
        )  # fmt: skip
        if change.settled:
            counted = jobs.settle_chunk(job, change.chunk.status, at=self._at)
            self._jobs[job_id] = (before or job, counted.job)
            self._chunks[job_id, index] = change.chunk
            draft_chunk(self._draft, job_id, chunk, change)
            self._draft.result(job_id, index, report.result)
            self._draft.events(counted.events)
        return Accepted(chunk=change.chunk, repeated=not change.settled)


def _settled(job: Job, before: Chunk, change: ChunkChange, at: datetime) -> Decision[Chunk]:
    draft = Draft(keeping(), at)
    draft_chunk(draft, job.job_id, before, change)
    if change.settled:
        counted = jobs.settle_chunk(job, change.chunk.status, at=at)
        draft.job(job, counted.job)
        draft.events(counted.events)
    return Decision(change.chunk, draft.writes())


def _credit(reports: Sequence[Report], outcomes: Sequence[Accepted | OrchardError]) -> Steps[None]:
    """Tell the workers' records what was done; losing this harms nothing."""
    by_worker: dict[str, tuple[list[str], list[Speed]]] = {}
    for report, outcome in zip(reports, outcomes, strict=True):
        names, speeds = by_worker.setdefault(report.worker_id, ([], []))
        names.append(report.chunk_id)
        if isinstance(outcome, Accepted) and not outcome.repeated:
            done = outcome.chunk
            if at := done.completed_at:
                speeds.append(workers.measure(done.duration_ms, done.time_ms, at=at))
    for worker_id, (names, speeds) in by_worker.items():
        if url := workers.worker_url(worker_id):
            yield from touch(url, lost=names, speeds=speeds)
