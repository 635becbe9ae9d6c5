"""What is wrong with a job, by what was read of it at one moment; no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from orchard import keys
from orchard.domain.chunks import Chunk
from orchard.domain.jobs import Job
from orchard.domain.lifecycle import ENDED, ChunkStatus, JobStatus
from orchard.repository import Keeping, epoch_ms

SLACK_MS = 5_000
"""Deadlines may be so much later than ours: settings change, and clocks are not exact."""
OVERDUE_MS = 60_000

Fault = tuple[str, str]
"""A code, and what is wrong in words."""
Scores = tuple[float | None, float | None]
"""Where something stands in a queue and in its leases; ``None``: not there."""
NOWHERE: Scores = (None, None)


class JobSeen(NamedTuple):
    """A job and all that belongs to it."""

    job_id: str
    raw: bytes | None
    job: Job | None
    """``None`` without a record, or with one that cannot be read."""
    listed: float | None
    in_states: Mapping[JobStatus, float]
    stage: Scores
    chunk_count: int
    result_count: int
    edit_count: int
    ttl_ms: int | None
    chunks: Sequence[Chunk] | None = None
    """``None`` when there are none to look at, or one cannot be read."""
    raw_chunks: Mapping[str, bytes] = {}
    places: Mapping[int, Scores] = {}


def judge(seen: JobSeen, keeping: Keeping, at: datetime) -> list[Fault]:
    """All that is wrong with a job."""
    at_ms = epoch_ms(at)
    if seen.raw is None:
        return [("job-gone", "There is no such job.")] if _has_traces(seen, at_ms) else []
    if seen.job is None:
        return [("job-unreadable", "The record is no job.")]
    job = seen.job
    faults = [*_places(seen, job, keeping, at_ms), *_stage(seen, job, keeping, at_ms)]
    if job.has_ended:
        return [*faults, *_leftovers(seen, job)]
    if job.total_chunks:
        faults += _chunks(seen, job, keeping, at_ms)
    return faults


def _has_traces(seen: JobSeen, at_ms: int) -> bool:
    """Whether something is left that will not be dropped by itself when it is met."""
    has_expired = any(
        seen.in_states.get(status, at_ms + SLACK_MS) < at_ms + SLACK_MS for status in ENDED
    )
    kept = seen.listed is not None or seen.in_states or seen.stage != NOWHERE
    beside = seen.chunk_count or seen.result_count or seen.edit_count
    return bool(kept or beside) and not has_expired


def _places(seen: JobSeen, job: Job, keeping: Keeping, at_ms: int) -> Iterator[Fault]:
    if seen.listed is None:
        yield "job-unlisted", f"It is {job.status} and not in the list of all jobs."
    if [*seen.in_states] != [job.status]:
        listed = ", ".join(seen.in_states) or "none"
        yield "job-misplaced", f"It is {job.status}, but listed as {listed}."
    elif job.has_ended and (seen.in_states[job.status] == keys.PINNED_SCORE) != job.pinned:
        kept = "pinned" if job.pinned else "not pinned"
        yield "job-misplaced", f"It is {kept}, and its list says otherwise."
    expires = job.has_ended and not job.pinned
    if expires != (seen.ttl_ms is not None):
        yield "job-ttl", f"It is {job.status} and {'never expires' if expires else 'would expire'}."


def _stage(seen: JobSeen, job: Job, keeping: Keeping, at_ms: int) -> Iterator[Fault]:
    queued, leased = seen.stage
    if not job.needs_pipeline:
        if seen.stage != NOWHERE:
            yield "stage-stale", f"It is {job.status} and waits for a pipeline process."
        return
    if job.stage.attempts > job.stage.token:
        yield "token-behind", f"Stage token {job.stage.token} after {job.stage.attempts} attempts."
    is_idle = not job.stage.holder and not job.stage.not_before
    if seen.stage == NOWHERE:
        yield "stage-lost", f"It is {job.status} and in no queue."
    elif queued is not None and (leased is not None or not is_idle):
        yield "stage-misplaced", "It is queued and somebody works on it."
    elif not job.stage.not_before and _is_beyond(leased, at_ms + keeping.stage_lease_ms):
        yield "stage-misplaced", "Its lease ends too far in the future."


def _leftovers(seen: JobSeen, job: Job) -> Iterator[Fault]:
    if seen.chunk_count:
        yield "chunks-left", f"It is {job.status}; {seen.chunk_count} chunks are still kept apart."
    if job.status is JobStatus.COMPLETED and seen.result_count:
        yield "chunks-left", f"It is completed; {seen.result_count} results are still kept."


def _chunks(seen: JobSeen, job: Job, keeping: Keeping, at_ms: int) -> Iterator[Fault]:
    if seen.chunks is None or seen.chunk_count < job.total_chunks:
        yield "chunks-lost", f"{seen.chunk_count} of {job.total_chunks} chunks are there."
        return
    done = sum(chunk.status is ChunkStatus.COMPLETED for chunk in seen.chunks)
    dead = sum(chunk.status is ChunkStatus.FAILED for chunk in seen.chunks)
    if job.status is JobStatus.CREATED or job.status is JobStatus.SPLITTING:
        return  # a retry: what is missing is found out when it goes on
    if (done, dead) != (job.completed_chunks, job.failed_chunks):
        counts = f"{job.completed_chunks} completed and {job.failed_chunks} failed"
        yield "counts-wrong", f"The record says {counts}, the chunks say {done} and {dead}."
    elif job.status is JobStatus.PROCESSING and done + dead >= job.total_chunks:
        yield "counts-wrong", "All chunks are settled, and the job did not go on."
    if seen.result_count < done:
        yield "results-lost", f"{done} chunks are completed, {seen.result_count} texts are there."
    if job.status is JobStatus.PROCESSING:
        for chunk in seen.chunks:
            yield from judge_chunk(chunk, seen.places.get(chunk.index, NOWHERE), keeping, at_ms)


def judge_chunk(chunk: Chunk, scores: Scores, keeping: Keeping, at_ms: int) -> Iterator[Fault]:
    """What is wrong with one chunk of a job that is being processed."""
    if chunk.attempts > chunk.greatest_token:
        told = f"Chunk {chunk.index}: token {chunk.greatest_token} after {chunk.attempts} attempts."
        yield "token-behind", told
    if chunk.status not in (ChunkStatus.WAITING, ChunkStatus.RUNNING):
        return
    queued, leased = scores
    is_idle = chunk.status is ChunkStatus.WAITING and not chunk.not_before
    name = f"Chunk {chunk.index}, {chunk.status},"
    if scores == NOWHERE:
        yield "chunk-lost", f"{name} is neither queued nor leased."
    elif queued is not None and (leased is not None or not is_idle):
        beside = "queued and leased at once" if leased is not None else "queued all the same"
        yield "chunk-misplaced", f"{name} is {beside}."
    elif leased is not None and leased < at_ms - OVERDUE_MS:
        yield "lease-overdue", f"{name} has had a lease that ended more than a minute ago."
    elif not chunk.not_before and _is_beyond(leased, at_ms + keeping.chunk_lease_ms):
        yield "chunk-misplaced", f"{name} has a lease that ends too far in the future."


def _is_beyond(deadline: float | None, latest_ms: int) -> bool:
    return deadline is not None and deadline > latest_ms + SLACK_MS
