"""The states of jobs, chunks and workers, and the one table of moves for each.

Sources: CONTRACTS section 5 (names), DESIGN section 6 (moves).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from orchard.domain.errors import TransitionRefused


class JobStatus(StrEnum):
    """Where a job is on its way from recording to transcript."""

    CREATED = "created"
    """Accepted and stored; waits for a pipeline process. Also where a retry starts."""
    PURIFYING = "purifying"
    """A pipeline process cleans the sound, under a lease."""
    SPLITTING = "splitting"
    """A pipeline process cuts the sound at silences, under a lease."""
    PROCESSING = "processing"
    """Its chunks are in the queue or with workers."""
    AGGREGATING = "aggregating"
    """Every chunk is settled; a pipeline process joins the transcript, under a lease."""
    COMPLETED = "completed"
    """The transcript is there. Removed an hour after, unless pinned."""
    FAILED = "failed"
    """It ended without a whole transcript; ``error`` says why. Can be retried."""
    CANCELLED = "cancelled"
    """Somebody ended it by hand."""


class ChunkStatus(StrEnum):
    """Where one chunk of a job is."""

    WAITING = "waiting"
    """In the queue, or backing off until its next attempt."""
    RUNNING = "running"
    """With a worker, under a lease."""
    COMPLETED = "completed"
    """A result was accepted."""
    FAILED = "failed"
    """Dead letter: it failed as often as it may. A retry of the job revives it."""


class WorkerStatus(StrEnum):
    """What a worker is doing, as far as the master knows."""

    ONLINE = "online"
    """Heard of lately, and idle."""
    BUSY = "busy"
    """Heard of lately, and holds chunks."""
    OFFLINE = "offline"
    """Silent for longer than it may be; removed when it stays so."""


_ABORTS = frozenset({JobStatus.FAILED, JobStatus.CANCELLED})

JOB_MOVES: Mapping[JobStatus, frozenset[JobStatus]] = {
    JobStatus.CREATED: frozenset({JobStatus.PURIFYING, JobStatus.SPLITTING}) | _ABORTS,
    JobStatus.PURIFYING: frozenset({JobStatus.SPLITTING}) | _ABORTS,
    # Without speech there is nothing to process, and after a retry perhaps nothing left.
    JobStatus.SPLITTING: frozenset({JobStatus.PROCESSING, JobStatus.AGGREGATING}) | _ABORTS,
    JobStatus.PROCESSING: frozenset({JobStatus.AGGREGATING}) | _ABORTS,
    JobStatus.AGGREGATING: frozenset({JobStatus.COMPLETED}) | _ABORTS,
    JobStatus.FAILED: frozenset({JobStatus.CREATED}),
    JobStatus.COMPLETED: frozenset(),
    JobStatus.CANCELLED: frozenset(),
}
"""From each state of a job, the states it may move to."""

CHUNK_MOVES: Mapping[ChunkStatus, frozenset[ChunkStatus]] = {
    # Waiting to completed: the lease ran out, nobody took over, and the result came late but whole.
    ChunkStatus.WAITING: frozenset(
        {ChunkStatus.RUNNING, ChunkStatus.COMPLETED, ChunkStatus.FAILED}
    ),
    ChunkStatus.RUNNING: frozenset(
        {ChunkStatus.WAITING, ChunkStatus.COMPLETED, ChunkStatus.FAILED}
    ),
    ChunkStatus.COMPLETED: frozenset(),
    ChunkStatus.FAILED: frozenset({ChunkStatus.WAITING}),
}
"""From each state of a chunk, the states it may move to."""

WORKER_MOVES: Mapping[WorkerStatus, frozenset[WorkerStatus]] = {
    status: frozenset(WorkerStatus) for status in WorkerStatus
}
"""A worker moves freely: its state only says what was last heard of it."""

ENDED = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED})
"""States in which a job rests and expires."""

STAGES = frozenset(
    {JobStatus.CREATED, JobStatus.PURIFYING, JobStatus.SPLITTING, JobStatus.AGGREGATING}
)
"""States in which a job is work for a pipeline process."""

ACTIVE = frozenset(JobStatus) - ENDED
"""States in which something is still to be done; these never expire."""

S = TypeVar("S", JobStatus, ChunkStatus)


def check_move(moves: Mapping[S, frozenset[S]], now: S, to: S, what: str) -> None:
    """Allow a move that the table has.

    Raises:
        TransitionRefused: the table does not have it.
    """
    if to not in moves[now]:
        raise TransitionRefused(f"{what} is {now} and cannot become {to}", status=str(now))
