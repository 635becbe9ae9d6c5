"""Issues, the processes that work on them, locks and label requests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from orchard_client.models.base import Model
from orchard_client.models.words import IssueStatus, LabelStatus


class Issue(Model, frozen=True, kw_only=True):
    """The record of an issue."""

    issue: int
    status: IssueStatus
    process_id: str | None
    pid: int | None
    host: str | None
    task_type: str | None
    start_time: datetime | None
    last_heartbeat: datetime | None
    end_time: datetime | None
    last_updated: datetime | None
    result: Any
    metadata: dict[str, Any]
    checked_out_by: str | None
    token: int | None
    lease_until: datetime | None
    ttl_s: float | None
    other: dict[str, Any]


class IssueBeat(Model, frozen=True, kw_only=True):
    """Whether somebody holds the issue, and its record if so."""

    alive: bool
    issue: int | None = None
    status: IssueStatus | None = None
    process_id: str | None = None
    pid: int | None = None
    host: str | None = None
    task_type: str | None = None
    start_time: datetime | None = None
    last_heartbeat: datetime | None = None
    end_time: datetime | None = None
    last_updated: datetime | None = None
    result: Any = None
    metadata: dict[str, Any] = {}
    checked_out_by: str | None = None
    token: int | None = None
    lease_until: datetime | None = None
    ttl_s: float | None = None
    other: dict[str, Any] = {}


class IssuesPage(Model, frozen=True, kw_only=True):
    """Some issues, those first whose state changed last."""

    issues: list[Issue]
    next: str | None
    count: int
    damaged: list[int]

    @property
    def items(self) -> list[Issue]:
        """The issues that can be read."""
        return self.issues


class IssueStatistics(Model, frozen=True, kw_only=True):
    """How many issues are in which state."""

    total: int
    pending: int
    processing: int
    completed: int
    error: int
    awaiting_response: int
    orphaned: int


class Orphan(Model, frozen=True, kw_only=True):
    """An issue whose process is gone, and how that was noticed."""

    issue: int
    reason: str
    process_id: str | None
    pid: int | None
    host: str | None
    last_heartbeat: datetime | None


class Orphans(Model, frozen=True, kw_only=True):
    """All orphans, or those that were repaired."""

    orphans: list[Orphan]
    count: int


class Process(Model, frozen=True, kw_only=True):
    """A process that works on issues."""

    process_id: str
    pid: int | None
    host: str | None
    role: str | None
    status: str
    task_type: str | None
    issue_number: int | None
    last_seen: datetime | None
    end_time: datetime | None
    final_status: str | None
    issues: list[int] = []
    ttl_s: float = 0.0


class ProcessesPage(Model, frozen=True, kw_only=True):
    """Some of the active processes, those heard of last first."""

    processes: list[Process]
    next: str | None
    count: int

    @property
    def items(self) -> list[Process]:
        """The processes."""
        return self.processes


class ProcessBeat(Model, frozen=True, kw_only=True):
    """How long the process now counts as alive."""

    process_id: str
    ttl_s: float


class Ended(Model, frozen=True, kw_only=True):
    """A process that was ended, and the issues that it had to give back."""

    process_id: str
    issues: list[int]


class Zombies(Model, frozen=True, kw_only=True):
    """Processes that were silent for too long."""

    processes: list[str]
    count: int


class Cleaned(Model, frozen=True, kw_only=True):
    """The zombies that were ended."""

    processes: list[Ended]
    count: int


class Lock(Model, frozen=True, kw_only=True):
    """A lock that somebody holds; ``token`` goes to what it protects."""

    name: str
    owner: str
    token: int
    ttl_s: float
    acquired_at: datetime
    lease_until: datetime


class LocksPage(Model, frozen=True, kw_only=True):
    """Some of the locks that are held, those first whose lease ends first."""

    locks: list[Lock]
    next: str | None
    count: int

    @property
    def items(self) -> list[Lock]:
        """The locks."""
        return self.locks


class Released(Model, frozen=True, kw_only=True):
    """The lock is free."""

    name: str
    released: bool


class LabelRequest(Model, frozen=True, kw_only=True):
    """A request to change the labels of an issue, or to comment on it."""

    request_id: str
    issue: int
    status: LabelStatus
    requested_at: datetime
    add: list[str]
    remove: list[str]
    comment: str
    requested_by: str
    process_id: str | None
    attempts: int
    not_before: datetime | None
    sent_at: datetime | None
    errors: list[str]


class LabelsPage(Model, frozen=True, kw_only=True):
    """Some label requests, the newest first."""

    labels: list[LabelRequest]
    next: str | None
    count: int
    counts: dict[str, int]

    @property
    def items(self) -> list[LabelRequest]:
        """The requests."""
        return self.labels


class Retried(Model, frozen=True, kw_only=True):
    """How many requests are tried again, and how many failed ones are left."""

    retried: int
    left: int
