"""Jobs: a recording on its way to a transcript, stage by stage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from orchard.domain.chunks import Chunk, revive_chunk
from orchard.domain.errors import InvalidInput, TransitionRefused
from orchard.domain.events import Event, JobAdvanced, JobCreated, JobPinned
from orchard.domain.lifecycle import (
    ENDED,
    JOB_MOVES,
    STAGES,
    ChunkStatus,
    JobStatus,
    check_move,
)
from orchard.domain.orders import AUDIO, NORMAL, PLAIN, Order, check_run_at, lane_of


class Segment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a finished transcript, as the contract spells it."""

    start: str
    end: str
    start_ms: int
    end_ms: int
    text: str
    speaker: str = ""
    """Who says it, where a worker told speakers apart."""
    doubts: tuple[str, ...] = ()
    """Why the quality guard doubts it (:mod:`orchard.domain.quality`)."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a job has led to (CONTRACTS section 5).

    A long one stands in the record without its text and segments; those are
    in storage, and REST joins them.
    """

    segments_count: int
    total_processing_time_ms: int
    text: str | None = None
    segments: tuple[Segment, ...] | None = None
    output: str | msgspec.UnsetType = msgspec.UNSET
    """The name of the file that a job of another type led to."""
    language: str | msgspec.UnsetType = msgspec.UNSET
    """The code of what was spoken, where the workers told."""


class Wishes(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What its sender asks of those who transcribe a recording, besides its language."""

    prompt: str = ""
    """Words in the style of the recording, which a transcriber reads first."""
    hot_words: tuple[str, ...] = ()
    """Names and terms that are likely to be said."""
    words: bool = True
    """Whether single words are wanted, with their times."""


class Stage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who works on the job's current stage, under a lease."""

    token: int = 0
    """Fencing token: grows each time a pipeline process takes a stage of this job."""
    attempts: int = 0
    holder: str = ""
    progress: float = 0.0
    not_before: datetime | None = None
    """End of the back-off after a failed attempt."""


WAITING = Stage()
"""Nobody has begun with it."""


class Job(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One recording and how far it has come. The first fields are the contract's."""

    job_id: str
    filename: str
    status: JobStatus
    total_chunks: int
    completed_chunks: int
    created_at: datetime
    updated_at: datetime
    source: str = ""
    """Name of the uploaded file in storage."""
    size: int = 0
    """Bytes of the uploaded file."""
    owner: str = ""
    came_by: str = ""
    """The door it came in by, such as ``openai``; empty for our own."""
    use_purifier: bool = True
    language: str = ""
    """The code of what is spoken, as its sender said; empty to find out."""
    wishes: Wishes | None = None
    job_type: str = AUDIO
    """What kind of work it is; see :mod:`orchard.jobtypes`."""
    priority: int = NORMAL
    requires: tuple[str, ...] = ()
    """Labels that its workers must have."""
    run_at: datetime | None = None
    """No stage of it begins before."""
    failed_chunks: int = 0
    duration_ms: int = 0
    speech_ms: int = 0
    """How much of it is in chunks, in milliseconds; the rest is silence."""
    stage: Stage = WAITING
    retries: int = 0
    trace: str = ""
    """The ``traceparent`` of the span it came in by; empty without traces."""
    pinned: bool = False
    error: str = ""
    chunks: tuple[Chunk, ...] | None = None
    """The chunk list, once the job has ended; until then it is kept apart."""
    result: Result | None = None

    @property
    def has_ended(self) -> bool:
        """Whether nothing is left to do."""
        return self.status in ENDED

    @property
    def needs_pipeline(self) -> bool:
        """Whether a pipeline process has to do the next step."""
        return self.status in STAGES

    @property
    def is_audio(self) -> bool:
        """Whether it is a recording."""
        return self.job_type == AUDIO

    @property
    def lane(self) -> str:
        """The lane in which its chunks wait; empty for a recording that demands nothing."""
        return lane_of(self.job_type, self.requires)

    @property
    def ready_at(self) -> datetime:
        """Since when it could be done."""
        return self.run_at or self.created_at


class JobChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision on a job leads to."""

    job: Job
    events: tuple[Event, ...] = ()
    chunks: tuple[Chunk, ...] = ()
    """Chunks that are new, or to be queued anew, with this change."""


def create_job(
    job_id: str, filename: str, source: str, size: int, *, owner: str, use_purifier: bool,
    language: str, at: datetime, came_by: str = "", wishes: Wishes | None = None,
    order: Order = PLAIN, trace: str = "",
) -> JobChange:  # fmt: skip
    """Accept a recording, or other work, that is in storage.

    Raises:
        InvalidInput: it is to begin more than a year from now.
    """
    run_at = check_run_at(order.run_at, at)
    job = Job(
        job_id=job_id, filename=filename, status=JobStatus.CREATED, total_chunks=0,
        completed_chunks=0, created_at=at, updated_at=at, source=source, size=size, owner=owner,
        use_purifier=use_purifier, language=language, came_by=came_by, wishes=wishes,
        job_type=order.job_type, priority=order.priority, requires=order.requires, run_at=run_at,
        stage=Stage(not_before=run_at) if run_at else WAITING, trace=trace,
    )  # fmt: skip
    event = JobCreated(at=at, job_id=job_id, filename=filename, status=job.status)
    return JobChange(job=job, events=(event,))


def settle_chunk(job: Job, status: ChunkStatus, *, at: datetime) -> JobChange:
    """Count a chunk that came to rest; the last one moves the job to aggregating."""
    counted = msgspec.structs.replace(
        job, updated_at=at,
        completed_chunks=job.completed_chunks + (status is ChunkStatus.COMPLETED),
        failed_chunks=job.failed_chunks + (status is ChunkStatus.FAILED),
    )  # fmt: skip
    if counted.completed_chunks + counted.failed_chunks < counted.total_chunks:
        return JobChange(job=counted)
    return advance(counted, JobStatus.AGGREGATING, at=at)


def end_job(
    job: Job, status: JobStatus, error: str, *, at: datetime, chunks: Sequence[Chunk] = (),
    result: Result | None = None,
) -> JobChange:  # fmt: skip
    """Bring a job to rest with its whole chunk list."""
    return advance(job, status, at=at, error=error, chunks=tuple(chunks), result=result)


def cancel_job(job: Job, chunks: Sequence[Chunk], *, at: datetime) -> JobChange:
    """End a job by hand; whatever is running is told so at its next report."""
    halted = [revive_chunk(c) if c.status is ChunkStatus.RUNNING else c for c in chunks]
    return end_job(job, JobStatus.CANCELLED, "", at=at, chunks=halted)


def retry_job(job: Job, *, at: datetime) -> JobChange:
    """Start a failed job again; only what is missing will be done.

    Raises:
        TransitionRefused: the job has not failed.
    """
    chunks = tuple(revive_chunk(chunk) for chunk in job.chunks or ())
    change = advance(
        job, JobStatus.CREATED, at=at, error="", result=None, chunks=None, failed_chunks=0,
        retries=job.retries + 1,
    )  # fmt: skip
    return msgspec.structs.replace(change, chunks=chunks)


def pin_job(job: Job, pinned: bool, *, at: datetime) -> JobChange:
    """Keep a finished job beyond its hour, or let it expire again.

    Raises:
        TransitionRefused: the job has not ended yet.
    """
    if not job.has_ended:
        raise TransitionRefused("only a job that has ended can be pinned", status=str(job.status))
    event = JobPinned(at=at, job_id=job.job_id, pinned=pinned)
    return JobChange(
        job=msgspec.structs.replace(job, pinned=pinned, updated_at=at), events=(event,)
    )


def check_filename(name: str) -> str:
    """The last part of an uploaded file's name, fit to be shown.

    Raises:
        InvalidInput: nothing is left of it.
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(c for c in last if c.isprintable()).strip().strip(".")
    if not shown:
        raise InvalidInput("file", "the file has no name")
    return shown[-200:]


def advance(job: Job, to: JobStatus, *, at: datetime, **changes: object) -> JobChange:
    """Move a job to another state, as far as the table of moves has it.

    Raises:
        TransitionRefused: the table does not.
    """
    check_move(JOB_MOVES, job.status, to, "job")
    # A new stage starts with a fresh count of attempts; the token only ever grows.
    changes.setdefault("stage", Stage(token=job.stage.token))
    moved = msgspec.structs.replace(job, status=to, updated_at=at, **changes)
    event = JobAdvanced(
        at=at, job_id=job.job_id, status=to, total_chunks=moved.total_chunks,
        completed_chunks=moved.completed_chunks, failed_chunks=moved.failed_chunks,
        error=moved.error,
    )  # fmt: skip
    return JobChange(job=moved, events=(event,))
