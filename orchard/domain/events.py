"""What has happened, as facts in the past tense. Every change appends its events.

Events are closed: an undeclared field is an error when one is read or made.
On the wire an event is a JSON object whose ``name`` says which it is.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from orchard.domain.lifecycle import JobStatus, WorkerStatus


class _Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True,
             tag_field="name", omit_defaults=True):  # fmt: skip
    at: datetime
    """When it happened, by the clock of the state engine."""


class _JobEvent(_Event, frozen=True, kw_only=True):
    job_id: str


class _ChunkEvent(_JobEvent, frozen=True, kw_only=True):
    chunk_id: str
    index: int


class _WorkerEvent(_Event, frozen=True, kw_only=True):
    worker_id: str


class _ScheduleEvent(_Event, frozen=True, kw_only=True):
    schedule_id: str
    title: str
    """What people call it; ``name`` is the event's."""


class JobCreated(_JobEvent, frozen=True, kw_only=True, tag="job.created"):
    """A recording was accepted."""

    filename: str
    status: JobStatus


class JobAdvanced(_JobEvent, frozen=True, kw_only=True, tag="job.advanced"):
    """A job moved to another state."""

    status: JobStatus
    total_chunks: int
    completed_chunks: int
    failed_chunks: int
    error: str = ""


class JobProgressed(_JobEvent, frozen=True, kw_only=True, tag="job.progressed"):
    """A pipeline stage came further; ``progress`` is 0 to 1."""

    stage: JobStatus
    progress: float


class JobPurified(_JobEvent, frozen=True, kw_only=True, tag="job.purified"):
    """The sound was cleaned (the old system's mark ``purifier_completed``)."""


class PurifierBypassed(_JobEvent, frozen=True, kw_only=True, tag="job.purifier_bypassed"):
    """The sound goes on as it came (the old system's mark ``purifier_bypassed``)."""


class JobPinned(_JobEvent, frozen=True, kw_only=True, tag="job.pinned"):
    """Somebody asked to keep a finished job, or to keep it no longer."""

    pinned: bool


class JobRemoved(_JobEvent, frozen=True, kw_only=True, tag="job.removed"):
    """A job is gone: deleted by hand, or expired."""


class ChunkStarted(_ChunkEvent, frozen=True, kw_only=True, tag="chunk.started"):
    """A worker took a chunk; ``is_duplicate`` when another has it, too."""

    worker_id: str
    attempts: int
    is_duplicate: bool = False


class ChunkProgressed(_ChunkEvent, frozen=True, kw_only=True, tag="chunk.progressed"):
    """A worker came further with a chunk; ``progress`` is 0 to 1."""

    progress: float


class ChunkCompleted(_ChunkEvent, frozen=True, kw_only=True, tag="chunk.completed"):
    """The result of a chunk was accepted."""

    worker_id: str
    completed_chunks: int
    total_chunks: int


class ChunkRequeued(_ChunkEvent, frozen=True, kw_only=True, tag="chunk.requeued"):
    """A chunk went back to the queue: its worker failed, fell silent or handed it back."""

    reason: str


class ChunkDropped(_ChunkEvent, frozen=True, kw_only=True, tag="chunk.dropped"):
    """One of the two workers that had a chunk has it no longer; the other goes on."""

    worker_id: str
    reason: str


class ChunkDoubted(_ChunkEvent, frozen=True, kw_only=True, tag="chunk.doubted"):
    """The first result of a chunk is doubtful: it is done once more, and the better one counts."""

    worker_id: str
    reasons: tuple[str, ...]


class ChunkFailed(_ChunkEvent, frozen=True, kw_only=True, tag="chunk.failed"):
    """A chunk failed as often as it may, and is a dead letter now."""

    error: str


class WorkerRegistered(_WorkerEvent, frozen=True, kw_only=True, tag="worker.registered"):
    """A worker joined the fleet."""

    url: str
    mode: str


class WorkerChanged(_WorkerEvent, frozen=True, kw_only=True, tag="worker.changed"):
    """What a worker is doing has changed."""

    status: WorkerStatus
    draining: bool
    paused: bool
    pending_chunks: tuple[str, ...]
    condition: str = ""
    """What is the matter with a push node (:class:`~orchard.domain.nodes.Condition`)."""


class WorkerRemoved(_WorkerEvent, frozen=True, kw_only=True, tag="worker.removed"):
    """A worker left the fleet: it said good-bye, fell silent, or was removed by hand."""

    reason: str


class ScheduleCreated(_ScheduleEvent, frozen=True, kw_only=True, tag="schedule.created"):
    """A file is kept, to be handed in again and again."""

    owner: str
    cron: str
    time_zone: str
    next_at: datetime | None = None


class ScheduleChanged(_ScheduleEvent, frozen=True, kw_only=True, tag="schedule.changed"):
    """A schedule is another, waits no more (``enabled`` is false), or waits again."""

    enabled: bool
    cron: str
    time_zone: str
    next_at: datetime | None = None


class ScheduleHandedIn(_ScheduleEvent, frozen=True, kw_only=True, tag="schedule.handed_in"):
    """A time of a schedule, or somebody's wish, led to a job."""

    due: datetime
    job_id: str


class ScheduleSkipped(_ScheduleEvent, frozen=True, kw_only=True, tag="schedule.skipped"):
    """A time of a schedule led to no job."""

    due: datetime
    error: str


class ScheduleDeleted(_ScheduleEvent, frozen=True, kw_only=True, tag="schedule.deleted"):
    """A schedule is gone, with its file; its jobs stay."""


Event = (
    JobCreated | JobAdvanced | JobProgressed | JobPurified | PurifierBypassed | JobPinned
    | JobRemoved | ChunkStarted | ChunkProgressed | ChunkCompleted | ChunkRequeued | ChunkDropped
    | ChunkDoubted | ChunkFailed | WorkerRegistered | WorkerChanged | WorkerRemoved
    | ScheduleCreated | ScheduleChanged | ScheduleHandedIn | ScheduleSkipped | ScheduleDeleted
)  # fmt: skip
"""Every event of the orchard."""
