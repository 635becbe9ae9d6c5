"""Duplicates: a chunk that takes too long is given to a second worker; the first result counts.

Both have a token of their own, so that either may report. They share the chunk's lease:
each sign of life extends it, and it runs out when both are silent. When one of them
fails or is gone, the other goes on with the chunk.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from orchard.domain.chunk_records import (
    ERRORS_KEPT,
    Chunk,
    ChunkChange,
    Failure,
    Second,
    Superseded,
    chunk_id,
)
from orchard.domain.errors import TransitionRefused
from orchard.domain.events import ChunkDropped, ChunkStarted, Event
from orchard.domain.lifecycle import ChunkStatus


def start_second(
    job_id: str, chunk: Chunk, worker_id: str, worker_url: str, *, at: datetime
) -> ChunkChange:
    """Give a chunk to one more worker; of two that have it, the one that began first loses it.

    Raises:
        TransitionRefused: nobody has it, or this worker does.
    """
    if chunk.status is not ChunkStatus.RUNNING or chunk.token_of(worker_id) is not None:
        raise TransitionRefused("it is not with another worker", status=str(chunk.status))
    events: tuple[Event, ...] = ()
    if chunk.second:
        lost = drop_holder(job_id, chunk, chunk.token, "took too long", at=at)
        chunk, events = lost.chunk, lost.events
    token = chunk.greatest_token + 1
    second = Second(token=token, worker_id=worker_id, worker_url=worker_url, started_at=at)
    started = ChunkStarted(
        at=at, job_id=job_id, chunk_id=chunk_id(job_id, chunk.index), index=chunk.index,
        worker_id=worker_id, attempts=chunk.attempts, is_duplicate=True,
    )  # fmt: skip
    doubled = msgspec.structs.replace(chunk, second=second, last_token=token)
    return ChunkChange(chunk=doubled, events=(*events, started))


def drop_holder(
    job_id: str, chunk: Chunk, token: int, reason: str, *, at: datetime, is_failure: bool = True
) -> ChunkChange:
    """Take a chunk from one of the two workers that have it; the other goes on.

    A failure is remembered, and costs the chunk one attempt.
    """
    second = chunk.second
    if second is None or not chunk.has_token(token):
        raise TransitionRefused("nobody else has it", status=str(chunk.status))
    lost, began = (
        (second.worker_id, second.started_at)
        if token == second.token
        else (chunk.worker_id, chunk.started_at)
    )
    left = alone(chunk) if token == second.token else _with_second_first(chunk, second)
    if is_failure:
        failure = Failure(at=at, worker_id=lost, error=reason[:500], started_at=began)
        errors = (*chunk.errors, failure)[-ERRORS_KEPT:]
        left = msgspec.structs.replace(left, errors=errors, attempts=chunk.attempts + 1)
    dropped = ChunkDropped(
        at=at, job_id=job_id, chunk_id=chunk_id(job_id, chunk.index), index=chunk.index,
        worker_id=lost, reason=reason[:200],
    )  # fmt: skip
    return ChunkChange(chunk=left, events=(dropped,))


def leave_to(chunk: Chunk, token: int, *, at: datetime) -> Chunk:
    """The chunk with the worker of this token alone; the other's attempt is superseded."""
    second = chunk.second
    if second is None:
        return chunk
    if token == second.token:
        left, other, began = _with_second_first(chunk, second), chunk.worker_id, chunk.started_at
    else:
        left, other, began = alone(chunk), second.worker_id, second.started_at
    needless = Superseded(worker_id=other, started_at=began or at, at=at)
    superseded = (*chunk.superseded, needless)[-ERRORS_KEPT:]
    return msgspec.structs.replace(left, superseded=superseded)


def alone(chunk: Chunk) -> Chunk:
    """The chunk without its second worker, whose token is never given out again."""
    return msgspec.structs.replace(chunk, second=None) if chunk.second else chunk


def as_held_by(chunk: Chunk, worker_id: str) -> Chunk:
    """The chunk as the worker sees it that has it as the second: its own token, its own start."""
    second = chunk.second
    is_second = second is not None and second.worker_id == worker_id
    return _with_second_first(chunk, second) if second and is_second else chunk


def _with_second_first(chunk: Chunk, second: Second) -> Chunk:
    return msgspec.structs.replace(
        chunk, second=None, token=second.token, worker_id=second.worker_id,
        worker_url=second.worker_url, started_at=second.started_at, progress=second.progress,
    )  # fmt: skip
