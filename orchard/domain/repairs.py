"""Repairs: what a record becomes when something that belongs to it was lost or is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from orchard.domain.chunks import Chunk
from orchard.domain.jobs import Job, JobChange, Stage, advance, end_job, retry_job
from orchard.domain.lifecycle import ChunkStatus, JobStatus, WorkerStatus
from orchard.domain.workers import Worker


def start_over(job: Job, reason: str, *, at: datetime) -> JobChange:
    """Begin a job again with its recording: what it had beside its record is lost."""
    failed = end_job(job, JobStatus.FAILED, reason, at=at)
    begun = advance(
        failed.job, JobStatus.CREATED, at=at, error="", chunks=None, result=None, total_chunks=0,
        completed_chunks=0, failed_chunks=0, speech_ms=0, retries=job.retries + 1,
    )  # fmt: skip
    return msgspec.structs.replace(begun, events=(*failed.events, *begun.events))


def take_up_again(job: Job, chunks: Sequence[Chunk], reason: str, *, at: datetime) -> JobChange:
    """Let a job do again what is missing among its chunks, as after a failure and a retry."""
    failed = end_job(job, JobStatus.FAILED, reason, at=at, chunks=chunks)
    begun = retry_job(failed.job, at=at)
    return msgspec.structs.replace(begun, events=(*failed.events, *begun.events))


def recount(job: Job, chunks: Sequence[Chunk], *, at: datetime) -> JobChange:
    """Count the chunks of a job anew; when all have come to rest, it goes on."""
    done = sum(chunk.status is ChunkStatus.COMPLETED for chunk in chunks)
    dead = sum(chunk.status is ChunkStatus.FAILED for chunk in chunks)
    counted = msgspec.structs.replace(job, completed_chunks=done, failed_chunks=dead)
    if job.status is JobStatus.PROCESSING and done + dead == job.total_chunks:
        return advance(counted, JobStatus.AGGREGATING, at=at)
    return JobChange(job=counted)


def raise_stage_token(job: Job) -> Job:
    """Let a stage's token be no less than the attempts at it."""
    token = max(job.stage.token, job.stage.attempts)
    if token == job.stage.token:
        return job
    stage: Stage = msgspec.structs.replace(job.stage, token=token)
    return msgspec.structs.replace(job, stage=stage)


def raise_token(chunk: Chunk) -> Chunk:
    """Let a chunk's token be no less than the attempts at it."""
    if chunk.greatest_token >= chunk.attempts:
        return chunk
    return msgspec.structs.replace(chunk, token=chunk.attempts)


def hold_only(worker: Worker, held: Sequence[str]) -> Worker:
    """Let a worker's record say that it holds these chunks and no others."""
    busy = WorkerStatus.BUSY if held else WorkerStatus.ONLINE
    status = worker.status if worker.status is WorkerStatus.OFFLINE else busy
    return msgspec.structs.replace(
        worker, pending_chunks=tuple(held), is_processing=bool(held), status=status
    )
