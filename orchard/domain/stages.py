"""Stages: what pipeline processes do to a job, each step under a lease with a fencing token."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from orchard.domain.chunks import Chunk, Facts, RetryPolicy
from orchard.domain.errors import StaleToken, TransitionRefused
from orchard.domain.events import JobProgressed, JobPurified, PurifierBypassed
from orchard.domain.jobs import Job, JobChange, Result, Stage, advance, end_job
from orchard.domain.lifecycle import ChunkStatus, JobStatus
from orchard.domain.queueing import turn_of
from orchard.domain.timeline import Span


def start_stage(job: Job, holder: str, policy: RetryPolicy, *, at: datetime) -> JobChange:
    """Give the job's next stage to a pipeline process, or fail the job after its last attempt.

    Raises:
        TransitionRefused: there is no stage to do; the entry in the queue is out of date.
    """
    if not job.needs_pipeline:
        raise TransitionRefused(f"job is {job.status}", status=str(job.status))
    if job.stage.attempts >= policy.max_attempts:
        error = f"{job.status} was given up: {_why_given_up(job)}"
        return end_job(job, JobStatus.FAILED, error, at=at)
    stage = Stage(token=job.stage.token + 1, attempts=job.stage.attempts + 1, holder=holder)
    if job.status is not JobStatus.CREATED:
        return JobChange(job=msgspec.structs.replace(job, stage=stage))
    purify = job.use_purifier and job.is_audio and not job.total_chunks
    change = advance(
        job, JobStatus.PURIFYING if purify else JobStatus.SPLITTING, at=at, stage=stage
    )
    if purify or job.total_chunks or not job.is_audio:
        return change
    bypassed = PurifierBypassed(at=at, job_id=job.job_id)
    return msgspec.structs.replace(change, events=(bypassed, *change.events))


def progress_stage(job: Job, token: int, progress: float, *, at: datetime) -> JobChange:
    """Note how far a stage is (0 to 1).

    Raises:
        StaleToken: another process holds the stage now.
    """
    check_stage(job, token)
    stage = msgspec.structs.replace(job.stage, progress=round(progress, 2))
    event = JobProgressed(at=at, job_id=job.job_id, stage=job.status, progress=stage.progress)
    return JobChange(job=msgspec.structs.replace(job, stage=stage), events=(event,))


def finish_purifying(job: Job, token: int, duration_ms: int, *, at: datetime) -> JobChange:
    """Note that the sound is clean; the job goes on to splitting."""
    check_stage(job, token)
    change = advance(job, JobStatus.SPLITTING, at=at, duration_ms=duration_ms)
    return msgspec.structs.replace(
        change, events=(JobPurified(at=at, job_id=job.job_id), *change.events)
    )


def finish_splitting(
    job: Job, token: int, spans: Sequence[Span], duration_ms: int, *, at: datetime,
    facts: Sequence[Facts] = (),
) -> JobChange:  # fmt: skip
    """Queue the chunks; without any speech the job goes straight to aggregating.

    ``facts`` is what the job's type notes of each chunk, if it does.
    """
    check_stage(job, token)
    length_ms = sum(span.end_ms - span.start_ms for span in spans)
    turn, lane = turn_of(job.ready_at, length_ms, job.priority), job.lane
    chunks = tuple(
        Chunk(
            index=i, start_ms=span.start_ms, end_ms=span.end_ms, turn=turn, lane=lane,
            facts=facts[i] if facts else None,
        )
        for i, span in enumerate(spans)
    )  # fmt: skip
    change = advance(
        job, JobStatus.PROCESSING if chunks else JobStatus.AGGREGATING, at=at,
        total_chunks=len(chunks), duration_ms=duration_ms,
        speech_ms=sum(chunk.duration_ms for chunk in chunks),
    )  # fmt: skip
    return msgspec.structs.replace(change, chunks=chunks)


def resume_processing(job: Job, token: int, chunks: Sequence[Chunk], *, at: datetime) -> JobChange:
    """Go on with the chunks of an earlier round: only what is missing is queued."""
    check_stage(job, token)
    missing = tuple(chunk for chunk in chunks if chunk.status is not ChunkStatus.COMPLETED)
    to = JobStatus.PROCESSING if missing else JobStatus.AGGREGATING
    done = len(chunks) - len(missing)
    change = advance(job, to, at=at, completed_chunks=done)
    return msgspec.structs.replace(change, chunks=missing)


def finish_aggregating(
    job: Job, token: int, result: Result, chunks: Sequence[Chunk], *, at: datetime
) -> JobChange:
    """End the job with its transcript; with dead letters among its chunks it has failed."""
    check_stage(job, token)
    if not job.failed_chunks:
        return end_job(job, JobStatus.COMPLETED, "", at=at, chunks=chunks, result=result)
    reasons = {chunk.errors[-1].error for chunk in chunks if chunk.errors and is_dead(chunk)}
    error = f"{job.failed_chunks} of {job.total_chunks} chunks failed: {'; '.join(sorted(reasons))}"
    return end_job(job, JobStatus.FAILED, error[:500], at=at, chunks=chunks, result=result)


def is_dead(chunk: Chunk) -> bool:
    """Whether a chunk is a dead letter."""
    return chunk.status is ChunkStatus.FAILED


def fail_stage(
    job: Job, token: int, error: str, policy: RetryPolicy, *, retry: bool, at: datetime,
    chunks: Sequence[Chunk] = (),
) -> JobChange:  # fmt: skip
    """Note that a stage went wrong: it is tried again after a rest, or the job fails."""
    check_stage(job, token)
    if not retry or job.stage.attempts >= policy.max_attempts:
        return end_job(job, JobStatus.FAILED, error[:500], at=at, chunks=chunks)
    rest = timedelta(seconds=policy.rest_s(job.stage.attempts))
    stage = msgspec.structs.replace(job.stage, holder="", progress=0.0, not_before=at + rest)
    return JobChange(job=msgspec.structs.replace(job, stage=stage, error=error[:500]))


def hand_back_stage(job: Job, token: int) -> JobChange:
    """Return a stage that its process cannot finish because it is shutting down."""
    check_stage(job, token)
    stage = Stage(token=job.stage.token, attempts=max(0, job.stage.attempts - 1))
    return JobChange(job=msgspec.structs.replace(job, stage=stage))


def check_stage(job: Job, token: int) -> None:
    """Let only the holder of a stage report on it.

    Raises:
        StaleToken: another process took it, or the job has moved on.
    """
    if token != job.stage.token or not job.stage.holder or not job.needs_pipeline:
        raise StaleToken(holder=job.stage.holder, status=str(job.status))


def _why_given_up(job: Job) -> str:
    return job.error or f"{job.stage.attempts} processes fell silent while working on it"
