"""Chunks: pieces of a recording between two silences, each transcribed by one worker."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

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

ERRORS_KEPT = 5
"""How many of its last failures a chunk remembers."""


class Failure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One failed attempt at a chunk."""

    at: datetime
    worker_id: str
    error: str
    started_at: datetime | None = None
    """When the attempt began; nobody had begun one when a waiting chunk was given up."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """How much a chunk's result holds (CONTRACTS section 5)."""

    text_length: int
    segments_count: int


class Chunk(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One piece of a recording, at its true place on the source's timeline."""

    index: int
    start_ms: int
    end_ms: int
    status: ChunkStatus = ChunkStatus.WAITING
    token: int = 0
    """Fencing token: grows each time a worker takes the chunk."""
    attempts: int = 0
    worker_id: str = ""
    worker_url: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    not_before: datetime | None = None
    """End of the back-off; no worker gets the chunk before."""
    progress: float = 0.0
    time_ms: int = 0
    """How long the worker took."""
    result_summary: Summary | None = None
    errors: tuple[Failure, ...] = ()

    @property
    def duration_ms(self) -> int:
        """Length of the sound in milliseconds."""
        return self.end_ms - self.start_ms


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How often work is tried, and how long it rests between two attempts."""

    max_attempts: int = 4
    backoff_s: float = 2.0
    backoff_max_s: float = 60.0

    def rest_s(self, attempts: int) -> float:
        """Seconds of rest after so many attempts: doubling, up to the limit."""
        return float(min(self.backoff_s * 2 ** max(0, attempts - 1), self.backoff_max_s))


class ChunkChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision on a chunk leads to."""

    chunk: Chunk
    events: tuple[Event, ...] = ()
    settled: int = 0
    """+1 when the chunk came to rest with this change (completed or dead letter)."""


def chunk_id(job_id: str, index: int) -> str:
    """The name of a chunk to the outside (CONTRACTS section 5)."""
    return f"{job_id}_chunk_{index}"


def parse_chunk_id(name: str) -> tuple[str, int] | None:
    """Job and index that a chunk's name stands for, or ``None`` when it is none."""
    job_id, mark, index = name.rpartition("_chunk_")
    is_number = index.isascii() and index.isdigit() and len(index) <= 6
    return (job_id, int(index)) if mark and job_id and is_number else None


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
        chunk, status=ChunkStatus.RUNNING, token=chunk.token + 1, attempts=chunk.attempts + 1,
        worker_id=worker_id, worker_url=worker_url, started_at=at, not_before=None, progress=0.0,
    )  # fmt: skip
    event = ChunkStarted(
        at=at, job_id=job_id, chunk_id=chunk_id(job_id, chunk.index), index=chunk.index,
        worker_id=worker_id, attempts=started.attempts,
    )  # fmt: skip
    return ChunkChange(chunk=started, events=(event,))


def check_holder(chunk: Chunk, token: int) -> None:
    """Let only the last holder of a chunk report on it.

    Raises:
        StaleToken: the token is not the chunk's; the error names who holds it.
    """
    if token != chunk.token:
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
    further = msgspec.structs.replace(chunk, progress=round(max(chunk.progress, progress), 2))
    event = ChunkProgressed(
        at=at, job_id=job_id, chunk_id=chunk_id(job_id, chunk.index), index=chunk.index,
        progress=further.progress,
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
    done = msgspec.structs.replace(
        chunk, status=ChunkStatus.COMPLETED, completed_at=at, not_before=None, progress=1.0,
        time_ms=time_ms, result_summary=summary,
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
) -> ChunkChange:
    """Send a chunk back with a rest, or bury it after its last attempt.

    Raises:
        TransitionRefused: no worker has it.
    """
    _check_running(chunk)
    errors = _with_failure(chunk, error, at)
    if not retry or chunk.attempts >= policy.max_attempts:
        return _bury(job_id, msgspec.structs.replace(chunk, errors=errors), error, at)
    until = at + timedelta(seconds=policy.rest_s(chunk.attempts))
    return _requeue(job_id, chunk, error, at, not_before=until, errors=errors)


def expire_chunk(job_id: str, chunk: Chunk, policy: RetryPolicy, *, at: datetime) -> ChunkChange:
    """Take a chunk from a worker that has fallen silent; it needs no rest."""
    error = f"{chunk.worker_id} fell silent"
    failed = fail_chunk(job_id, chunk, error, policy, retry=True, at=at)
    if failed.chunk.status is ChunkStatus.FAILED:
        return failed
    return ChunkChange(
        chunk=msgspec.structs.replace(failed.chunk, not_before=None),
        events=failed.events,
    )


def hand_back(job_id: str, chunk: Chunk, reason: str, *, at: datetime) -> ChunkChange:
    """Return a chunk that its worker cannot finish through no fault of the chunk.

    Raises:
        TransitionRefused: no worker has it.
    """
    _check_running(chunk)
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
        chunk, status=ChunkStatus.WAITING, attempts=0, not_before=None, progress=0.0
    )


def redo_chunk(chunk: Chunk) -> Chunk:
    """Make a chunk ready to be done again although it was completed: its result is lost."""
    return msgspec.structs.replace(
        chunk, status=ChunkStatus.WAITING, attempts=0, not_before=None, progress=0.0,
        completed_at=None, result_summary=None,
    )  # fmt: skip


def _check_running(chunk: Chunk) -> None:
    if chunk.status is not ChunkStatus.RUNNING:
        raise TransitionRefused(f"the chunk is {chunk.status}", status=str(chunk.status))


def _requeue(
    job_id: str, chunk: Chunk, reason: str, at: datetime, **changes: object
) -> ChunkChange:
    check_move(CHUNK_MOVES, chunk.status, ChunkStatus.WAITING, "the chunk")
    waiting = msgspec.structs.replace(chunk, status=ChunkStatus.WAITING, progress=0.0, **changes)
    event = ChunkRequeued(
        at=at, job_id=job_id, chunk_id=chunk_id(job_id, chunk.index), index=chunk.index,
        reason=reason[:200],
    )  # fmt: skip
    return ChunkChange(chunk=waiting, events=(event,))


def _bury(job_id: str, chunk: Chunk, error: str, at: datetime) -> ChunkChange:
    check_move(CHUNK_MOVES, chunk.status, ChunkStatus.FAILED, "the chunk")
    dead = msgspec.structs.replace(
        chunk, status=ChunkStatus.FAILED, completed_at=at, not_before=None
    )
    event = ChunkFailed(
        at=at, job_id=job_id, chunk_id=chunk_id(job_id, chunk.index), index=chunk.index,
        error=error[:200],
    )  # fmt: skip
    return ChunkChange(chunk=dead, events=(event,), settled=1)
