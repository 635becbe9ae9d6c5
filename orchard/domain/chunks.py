"""Chunks: pieces of a recording between two silences, each transcribed by one worker."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from orchard.domain import duplicates
from orchard.domain.chunk_records import (
    CHUNK_MARK,
    ERRORS_KEPT,
    Chunk,
    ChunkChange,
    Facts,
    Failure,
    Summary,
    chunk_id,
    parse_chunk_id,
)
from orchard.domain.errors import StaleToken, TransitionRefused
from orchard.domain.events import (
    ChunkCompleted,
    ChunkFailed,
    ChunkProgressed,
    ChunkRequeued,
    ChunkStarted,
    Event,
)
from orchard.domain.lifecycle import CHUNK_MOVES, ChunkStatus, check_move

__all__ = [
    "CHUNK_MARK", "ERRORS_KEPT", "Chunk", "ChunkChange", "Facts", "Failure", "RetryPolicy",
    "Summary", "bury_chunk", "check_holder", "chunk_id", "complete_chunk", "expire_chunk",
    "fail_chunk", "hand_back", "lose_chunk", "parse_chunk_id", "progress_chunk", "redo_chunk",
    "revive_chunk", "start_chunk",
]  # fmt: skip


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How often work is tried, and how long it rests between two attempts."""

    max_attempts: int = 4
    backoff_s: float = 2.0
    backoff_max_s: float = 60.0

    def rest_s(self, attempts: int) -> float:
        """Seconds of rest after so many attempts: doubling, up to the limit."""
        return float(min(self.backoff_s * 2 ** max(0, attempts - 1), self.backoff_max_s))


def start_chunk(
    job_id: str,
    chunk: Chunk,
    worker_id: str,
    worker_url: str,
    policy: RetryPolicy,
    *,
    at: datetime,
) -> ChunkChange:
    """Give a chunk to a worker, or bury it when it was tried as often as it may be.

    The chunk may still say *running*: then its last worker fell silent, and
    this is how the next one takes over.
    """
    if chunk.status is ChunkStatus.RUNNING:
        lost = expire_chunk(job_id, chunk, policy, at=at)
        if lost.chunk.status is ChunkStatus.FAILED:
            return lost
        chunk = lost.chunk
    check_move(CHUNK_MOVES, chunk.status, ChunkStatus.RUNNING, "the chunk")
    started = msgspec.structs.replace(
        chunk, status=ChunkStatus.RUNNING, token=chunk.greatest_token + 1, last_token=0,
        attempts=chunk.attempts + 1, worker_id=worker_id, worker_url=worker_url, started_at=at,
        not_before=None, progress=0.0,
    )  # fmt: skip
    event = ChunkStarted(
        at=at, job_id=job_id, chunk_id=chunk_id(job_id, chunk.index), index=chunk.index,
        worker_id=worker_id, attempts=started.attempts,
    )  # fmt: skip
    return ChunkChange(chunk=started, events=(event,))


def check_holder(chunk: Chunk, token: int) -> None:
    """Let only the last holder of a chunk report on it, or both when it was given to two.

    Raises:
        StaleToken: the token is none of theirs; the error names who holds it.
    """
    if not chunk.has_token(token):
        raise StaleToken(holder=chunk.worker_id, status=str(chunk.status))


def progress_chunk(
    job_id: str, chunk: Chunk, progress: float, token: int, *, at: datetime
) -> ChunkChange:
    """Note how far a worker is (0 to 1).

    Raises:
        StaleToken: the worker no longer holds the chunk.
    """
    check_holder(chunk, token)
    if chunk.status is not ChunkStatus.RUNNING:
        raise StaleToken(holder=chunk.worker_id, status=str(chunk.status))
    if chunk.second and token == chunk.second.token:
        share = round(max(chunk.second.progress, progress), 2)
        second = msgspec.structs.replace(chunk.second, progress=share)
        further = msgspec.structs.replace(chunk, second=second)
    else:
        share = round(max(chunk.progress, progress), 2)
        further = msgspec.structs.replace(chunk, progress=share)
    event = ChunkProgressed(
        at=at, job_id=job_id, chunk_id=chunk_id(job_id, chunk.index), index=chunk.index,
        progress=max(further.progress, further.second.progress if further.second else 0.0),
    )  # fmt: skip
    return ChunkChange(chunk=further, events=(event,))


def complete_chunk(
    job_id: str, chunk: Chunk, *, token: int, time_ms: int, summary: Summary,
    completed_chunks: int, total_chunks: int, at: datetime,
) -> ChunkChange:  # fmt: skip
    """Accept the result of a chunk; a repeated report changes nothing.

    A result that comes after its lease ran out still counts as long as nobody
    else took the chunk: the token says so.

    Raises:
        StaleToken: somebody else took the chunk since.
        TransitionRefused: the chunk is a dead letter.
    """
    check_holder(chunk, token)
    if chunk.status is ChunkStatus.COMPLETED:
        return ChunkChange(chunk=chunk)
    check_move(CHUNK_MOVES, chunk.status, ChunkStatus.COMPLETED, "the chunk")
    chunk = duplicates.leave_to(chunk, token, at=at)
    done = msgspec.structs.replace(
        chunk, status=ChunkStatus.COMPLETED, completed_at=at, not_before=None, progress=1.0,
        turn=0, time_ms=time_ms, result_summary=summary,
    )  # fmt: skip
    event = ChunkCompleted(
        at=at, job_id=job_id, chunk_id=chunk_id(job_id, chunk.index), index=chunk.index,
        worker_id=chunk.worker_id, completed_chunks=completed_chunks + 1,
        total_chunks=total_chunks,
    )  # fmt: skip
    return ChunkChange(chunk=done, events=(event,), settled=1)


def fail_chunk(
    job_id: str,
    chunk: Chunk,
    error: str,
    policy: RetryPolicy,
    *,
    retry: bool,
    at: datetime,
    token: int | None = None,
) -> ChunkChange:
    """Send a chunk back with a rest, or bury it after its last attempt.

    When another worker has it, too, only that of the token loses it.

    Raises:
        TransitionRefused: no worker has it.
    """
    _check_running(chunk)
    if chunk.second and token is not None:
        return duplicates.drop_holder(job_id, chunk, token, error, at=at)
    errors = _with_failure(chunk, error, at)
    if not retry or chunk.attempts >= policy.max_attempts:
        return _bury(job_id, msgspec.structs.replace(chunk, errors=errors), error, at)
    until = at + timedelta(seconds=policy.rest_s(chunk.attempts))
    return _requeue(job_id, chunk, error, at, not_before=until, errors=errors)


def expire_chunk(job_id: str, chunk: Chunk, policy: RetryPolicy, *, at: datetime) -> ChunkChange:
    """Take a chunk from its worker, or both of them, that fell silent; it needs no rest."""
    events: tuple[Event, ...] = ()
    if second := chunk.second:
        lost = lose_chunk(job_id, chunk, second.worker_id, policy, at=at)
        chunk, events = lost.chunk, lost.events
    error = f"{chunk.worker_id} fell silent"
    failed = fail_chunk(job_id, chunk, error, policy, retry=True, at=at)
    left = failed.chunk
    if left.status is not ChunkStatus.FAILED:
        left = msgspec.structs.replace(left, not_before=None)
    return ChunkChange(chunk=left, events=(*events, *failed.events), settled=failed.settled)


def lose_chunk(
    job_id: str, chunk: Chunk, worker_id: str, policy: RetryPolicy, *, at: datetime
) -> ChunkChange:
    """Take a chunk from this one worker, which has fallen silent.

    Raises:
        TransitionRefused: it does not have it.
    """
    token = chunk.token_of(worker_id)
    if token is None:
        raise TransitionRefused(f"{worker_id} does not have it", status=str(chunk.status))
    if chunk.second is None:
        return expire_chunk(job_id, chunk, policy, at=at)
    return duplicates.drop_holder(job_id, chunk, token, f"{worker_id} fell silent", at=at)


def hand_back(
    job_id: str, chunk: Chunk, reason: str, *, at: datetime, token: int | None = None
) -> ChunkChange:
    """Return a chunk that its worker cannot finish through no fault of the chunk.

    When another worker has it, too, only that of the token loses it.

    Raises:
        TransitionRefused: no worker has it.
    """
    _check_running(chunk)
    if chunk.second and token is not None:
        return duplicates.drop_holder(job_id, chunk, token, reason, at=at, is_failure=False)
    return _requeue(job_id, chunk, reason, at, attempts=max(0, chunk.attempts - 1))


def bury_chunk(job_id: str, chunk: Chunk, reason: str, *, at: datetime) -> ChunkChange:
    """Give a chunk up by hand, whether it waits or a worker has it.

    Raises:
        TransitionRefused: it is settled already.
    """
    errors = _with_failure(chunk, reason, at)
    return _bury(job_id, msgspec.structs.replace(chunk, errors=errors), reason, at)


def _with_failure(chunk: Chunk, error: str, at: datetime) -> tuple[Failure, ...]:
    """The last failures of a chunk, this one included."""
    began = chunk.started_at if chunk.status is ChunkStatus.RUNNING else None
    failure = Failure(at=at, worker_id=chunk.worker_id, error=error[:500], started_at=began)
    return (*chunk.errors, failure)[-ERRORS_KEPT:]


def revive_chunk(chunk: Chunk) -> Chunk:
    """Make an unfinished chunk ready for a new round of attempts; its token stays."""
    if chunk.status is ChunkStatus.COMPLETED:
        return chunk
    return msgspec.structs.replace(
        chunk, status=ChunkStatus.WAITING, attempts=0, not_before=None, progress=0.0, second=None
    )


def redo_chunk(chunk: Chunk) -> Chunk:
    """Make a chunk ready to be done again although it was completed: its result is lost."""
    return msgspec.structs.replace(
        chunk, status=ChunkStatus.WAITING, attempts=0, not_before=None, progress=0.0,
        completed_at=None, result_summary=None, second=None, doubt=None,
    )  # fmt: skip


def _check_running(chunk: Chunk) -> None:
    if chunk.status is not ChunkStatus.RUNNING:
        raise TransitionRefused(f"the chunk is {chunk.status}", status=str(chunk.status))


def _requeue(
    job_id: str, chunk: Chunk, reason: str, at: datetime, **changes: object
) -> ChunkChange:
    check_move(CHUNK_MOVES, chunk.status, ChunkStatus.WAITING, "the chunk")
    waiting = msgspec.structs.replace(
        chunk, status=ChunkStatus.WAITING, progress=0.0, second=None, **changes
    )
    event = ChunkRequeued(
        at=at, job_id=job_id, chunk_id=chunk_id(job_id, chunk.index), index=chunk.index,
        reason=reason[:200],
    )  # fmt: skip
    return ChunkChange(chunk=waiting, events=(event,))


def _bury(job_id: str, chunk: Chunk, error: str, at: datetime) -> ChunkChange:
    check_move(CHUNK_MOVES, chunk.status, ChunkStatus.FAILED, "the chunk")
    dead = msgspec.structs.replace(
        chunk, status=ChunkStatus.FAILED, completed_at=at, not_before=None, second=None
    )
    event = ChunkFailed(
        at=at, job_id=job_id, chunk_id=chunk_id(job_id, chunk.index), index=chunk.index,
        error=error[:200],
    )  # fmt: skip
    return ChunkChange(chunk=dead, events=(event,), settled=1)
