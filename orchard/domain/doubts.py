"""Doubts: a chunk whose first result is doubtful is done once more, and the better one counts.

The second try is no attempt at a chunk that failed, and there is never a third. When it
leads to nothing, the first result counts after all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from orchard.domain import duplicates
from orchard.domain.chunk_records import Chunk, ChunkChange, Doubt, Summary, chunk_id
from orchard.domain.chunks import check_holder
from orchard.domain.errors import TransitionRefused
from orchard.domain.events import ChunkCompleted, ChunkDoubted, ChunkFailed, ChunkRequeued, Event
from orchard.domain.jobs import Job
from orchard.domain.lifecycle import ChunkStatus
from orchard.domain.workers import worker_url

PATIENCE = timedelta(seconds=10)
"""So long a doubted chunk is kept for others, while there are any."""

_OPEN = (ChunkStatus.RUNNING, ChunkStatus.WAITING)


def may_doubt(chunk: Chunk, token: int) -> bool:
    """Whether a result with this token would be the chunk's first that counts."""
    return chunk.status in _OPEN and chunk.has_token(token) and chunk.doubt is None


def is_open(chunk: Chunk) -> bool:
    """Whether the chunk is, or is to be, done once more because its first result is doubtful."""
    return chunk.doubt is not None and chunk.doubt.is_open and chunk.status in _OPEN


def doubt_chunk(
    job_id: str, chunk: Chunk, *, token: int, reasons: Sequence[str], time_ms: int,
    summary: Summary, at: datetime,
) -> ChunkChange:  # fmt: skip
    """Send a chunk back because its first result is doubtful; it costs no attempt.

    When another worker has it, too, that one's result is the second.

    Raises:
        StaleToken: somebody else took the chunk since.
        TransitionRefused: it is settled, or was doubted before.
    """
    check_holder(chunk, token)
    if not may_doubt(chunk, token):
        raise TransitionRefused("it cannot be doubted (again)", status=str(chunk.status))
    who, began = _holder(chunk, token)
    doubt = Doubt(
        at=at, worker_id=who, token=token, reasons=tuple(reasons), time_ms=time_ms,
        summary=summary, started_at=began,
    )  # fmt: skip
    told = ChunkDoubted(
        at=at, job_id=job_id, chunk_id=chunk_id(job_id, chunk.index), index=chunk.index,
        worker_id=who, reasons=doubt.reasons,
    )  # fmt: skip
    back = _give_back(job_id, chunk, token, f"its text is doubtful: {', '.join(reasons)}", at)
    return ChunkChange(
        chunk=msgspec.structs.replace(back.chunk, doubt=doubt), events=(told, *back.events)
    )


def decide(chunk: Chunk, *, is_first: bool, left: Sequence[str]) -> Chunk:
    """The chunk with a note of which of its two results counts, and what is doubtful about it."""
    if chunk.doubt is None:
        return chunk
    chosen = "first" if is_first else "second"
    doubt = msgspec.structs.replace(chunk.doubt, chosen=chosen, left=tuple(left))
    return msgspec.structs.replace(chunk, doubt=doubt)


def rather_first(job: Job, change: ChunkChange, *, at: datetime) -> ChunkChange:
    """A doubtful text rather than none: a chunk whose second try was given up is completed."""
    chunk, doubt = change.chunk, change.chunk.doubt
    if chunk.status is not ChunkStatus.FAILED or doubt is None or not doubt.is_open:
        return change
    done = msgspec.structs.replace(
        decide(chunk, is_first=True, left=doubt.reasons), status=ChunkStatus.COMPLETED,
        progress=1.0, turn=0, time_ms=doubt.time_ms, result_summary=doubt.summary,
        token=doubt.token, last_token=chunk.greatest_token, worker_id=doubt.worker_id,
        worker_url=worker_url(doubt.worker_id), started_at=doubt.started_at,
    )  # fmt: skip
    told = ChunkCompleted(
        at=at, job_id=job.job_id, chunk_id=chunk_id(job.job_id, chunk.index),
        index=chunk.index, worker_id=doubt.worker_id,
        completed_chunks=job.completed_chunks + 1, total_chunks=job.total_chunks,
    )  # fmt: skip
    others: list[Event] = [one for one in change.events if not isinstance(one, ChunkFailed)]
    return ChunkChange(chunk=done, events=(*others, told), settled=1)


def is_for_others(chunk: Chunk, worker_id: str, *, at: datetime) -> bool:
    """Whether a waiting chunk should go to somebody else than this worker, if there is anybody."""
    doubt = chunk.doubt
    return (
        doubt is not None and doubt.is_open and doubt.worker_id == worker_id
        and chunk.status is ChunkStatus.WAITING and at - doubt.at < PATIENCE
    )  # fmt: skip


def _holder(chunk: Chunk, token: int) -> tuple[str, datetime | None]:
    second = chunk.second
    if second is not None and token == second.token:
        return second.worker_id, second.started_at
    return chunk.worker_id, chunk.started_at


def _give_back(job_id: str, chunk: Chunk, token: int, reason: str, at: datetime) -> ChunkChange:
    if chunk.second:
        return duplicates.drop_holder(job_id, chunk, token, reason, at=at, is_failure=False)
    # Its lease may have run out meanwhile: then that cost it an attempt, and it waits already.
    cost = 1 if chunk.status is ChunkStatus.RUNNING else 0
    waiting = msgspec.structs.replace(
        chunk, status=ChunkStatus.WAITING, progress=0.0, not_before=None,
        attempts=max(0, chunk.attempts - cost),
    )  # fmt: skip
    event = ChunkRequeued(
        at=at, job_id=job_id, chunk_id=chunk_id(job_id, chunk.index), index=chunk.index,
        reason=reason[:200],
    )  # fmt: skip
    return ChunkChange(chunk=waiting, events=(event,))
