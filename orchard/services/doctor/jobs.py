"""Jobs: looked at with all that belongs to them, and mended in one commit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from orchard import keys
from orchard.domain import repairs
from orchard.domain.chunks import Chunk, chunk_id, redo_chunk
from orchard.domain.events import JobRemoved
from orchard.domain.jobs import Job, JobChange, end_job
from orchard.domain.lifecycle import JobStatus
from orchard.ports import recordings
from orchard.repository import Draft, Keeping, chunk_cell, epoch_ms, job_cell
from orchard.services import reports
from orchard.services.doctor.catalogue import JOB
from orchard.services.doctor.judging import NOWHERE, JobSeen, judge, judge_chunk
from orchard.services.doctor.reading import STATES, read_jobs
from orchard.services.doctor.symptoms import found
from orchard.services.limits import keeping
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.drafts import Later
from statecore.store.findings import Examiner, Finding, Subject
from statecore.store.steps import Seen

TRIES = 20
LOST = "what belonged to it was lost in the state engine"


class JobExaminer(Examiner):
    """Jobs with their chunks, stages, results and lists."""

    kind = JOB

    def look(self, store: Store, names: Sequence[str]) -> list[Finding]:
        """What is wrong with these jobs."""
        seen = read_jobs(store, names)
        at = store.now()
        return [finding for one in seen for finding in _findings(one, at)]

    def mend(self, store: Store, name: str) -> list[Finding]:
        """Write the job, and what follows from its record, anew."""
        for _ in range(TRIES):
            for_now, at = read_jobs(store, [name]), store.now()
            wrong = [each for seen in for_now for each in _findings(seen, at) if each.repair]
            if not wrong:
                return []
            (seen,) = for_now
            treatment = _treat(store, seen, {each.code for each in wrong}, at)
            if isinstance(store.commit(treatment.expected, treatment.writes), ops.Committed):
                _bring_back(store, seen, wrong)
                return wrong
        return []


class _Treatment(NamedTuple):
    expected: Seen
    writes: tuple[ops.Write, ...]


def _findings(seen: JobSeen, at: datetime) -> list[Finding]:
    subject = Subject(JOB, seen.job_id)
    return [found(code, subject, what) for code, what in judge(seen, keeping(), at)]


def _treat(store: Store, seen: JobSeen, codes: set[str], at: datetime) -> _Treatment:
    """The writes that put everything right, and what they were decided on."""
    draft = Draft(keeping(), at)
    expected: dict[ops.Cell, bytes | None] = {job_cell(seen.job_id): seen.raw}
    if seen.job is None:
        draft.drop_job(seen.job_id, seen.chunk_count)
        draft.events([JobRemoved(at=at, job_id=seen.job_id)])
    elif "chunks-lost" in codes:
        _start_over(draft, seen.job, at)
    elif "results-lost" in codes and seen.job.status is JobStatus.AGGREGATING:
        change = repairs.take_up_again(seen.job, seen.chunks or (), LOST, at=at)
        _write(draft, seen.job, change)
        for chunk in change.chunks:
            draft.keep_chunk(seen.job_id, chunk)
        draft.keep_results(seen.job_id)
    else:
        expected |= _put_right(store, draft, seen, seen.job, codes, at)
    return _Treatment(expected, draft.writes())


def _start_over(draft: Draft, job: Job, at: datetime) -> None:
    if recordings.exists(job.source):
        _write(draft, job, repairs.start_over(job, LOST, at=at))
        draft.delete(keys.chunks(job.job_id), keys.results(job.job_id))
    else:
        error = f"{LOST}, and the recording is not in storage"
        _write(draft, job, end_job(job, JobStatus.FAILED, error, at=at))
    for index in range(job.total_chunks):
        draft.drop_chunk_name(chunk_id(job.job_id, index), job.lane)


def _put_right(
    store: Store, draft: Draft, seen: JobSeen, job: Job, codes: set[str], at: datetime
) -> Seen:
    """Write record, lists and places anew; what that was decided on besides the record."""
    chunks = _chunks_after(store, seen, codes)
    change = JobChange(job=repairs.raise_stage_token(job))
    if codes & {"counts-wrong", "results-lost"}:
        change = repairs.recount(change.job, chunks, at=at)
    _write(draft, job, change)
    if job.has_ended:
        draft.delete(keys.chunks(job.job_id))
        if job.status is JobStatus.COMPLETED:
            draft.delete(keys.results(job.job_id))
    if not change.job.needs_pipeline:
        draft.drop_stage(job.job_id)
    if codes & {"chunk-lost", "chunk-misplaced", "token-behind", "results-lost", "counts-wrong"}:
        return _place_chunks(draft, seen, job, chunks, at)
    return {}


def _chunks_after(store: Store, seen: JobSeen, codes: set[str]) -> list[Chunk]:
    chunks = [repairs.raise_token(chunk) for chunk in seen.chunks or ()]
    if "results-lost" not in codes:
        return chunks
    (texts,) = store.read(ops.WholeHash(keys.results(seen.job_id)))
    return [
        redo_chunk(chunk) if chunk.result_summary and str(chunk.index) not in texts else chunk
        for chunk in chunks
    ]


def _place_chunks(
    draft: Draft, seen: JobSeen, job: Job, after: Sequence[Chunk], at: datetime
) -> Seen:
    """Put the chunks that stand wrong where they belong; none of them may have changed since."""
    if job.status is not JobStatus.PROCESSING:
        return {}
    at_ms, expected = epoch_ms(at), dict[ops.Cell, bytes | None]()
    for before, chunk in zip(seen.chunks or (), after, strict=True):
        expected[chunk_cell(job.job_id, chunk.index)] = seen.raw_chunks[str(chunk.index)]
        scores = seen.places.get(chunk.index, NOWHERE)
        is_wrong = {code for code, _ in judge_chunk(before, scores, keeping(), at_ms)}
        if chunk != before or is_wrong - {"lease-overdue"}:
            draft.chunk(job.job_id, before, chunk)
    return expected


def _write(draft: Draft, before: Job, change: JobChange) -> None:
    """Write a job, into the one list of its state and no other."""
    after = change.job
    draft.job(before, after)
    draft.place(keys.JOBS, after.job_id, epoch_ms(after.created_at))
    for status in STATES:
        if status is not after.status:
            draft.place(keys.jobs_in(status), after.job_id, None)
    draft.place(keys.jobs_in(after.status), after.job_id, place_in_list(after, keeping()))
    draft.events(change.events)


def place_in_list(job: Job, kept: Keeping) -> float | Later:
    """Where a job stands in the list of its state."""
    if not job.has_ended:
        return epoch_ms(job.created_at)
    return keys.PINNED_SCORE if job.pinned else Later(kept.job_ttl_ms)


def _bring_back(store: Store, seen: JobSeen, wrong: Sequence[Finding]) -> None:
    """Return chunks whose lease ran out long ago to the queue, as clearing up does."""
    if any(each.code == "lease-overdue" for each in wrong):
        late = epoch_ms(store.now())
        for index, (_, leased) in seen.places.items():
            if leased is not None and leased < late:
                store.run(reports.expire(chunk_id(seen.job_id, index)))
