"""What has happened on the state side, as facts in the past tense.

Events are closed: an undeclared field is an error when one is read or made.
They stand in the one stream of the engine, beside the orchard's.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from statecore.domain.lifecycle import IssueStatus


class _Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True,
             tag_field="name", omit_defaults=True):  # fmt: skip
    at: datetime
    """When it happened, by the clock of the state engine."""


class _IssueEvent(_Event, frozen=True, kw_only=True):
    issue: int


class _LabelEvent(_Event, frozen=True, kw_only=True):
    request_id: str
    issue: int


class _ProcessEvent(_Event, frozen=True, kw_only=True):
    process_id: str


class _LockEvent(_Event, frozen=True, kw_only=True):
    lock: str
    owner: str


class IssueCheckedOut(_IssueEvent, frozen=True, kw_only=True, tag="issue.checked_out"):
    """A process holds an issue now."""

    process_id: str
    task_type: str
    token: int
    lease_until: datetime
    taken_from: str = ""
    """Whose lease had run out, when it was taken over."""


class IssueRenewed(_IssueEvent, frozen=True, kw_only=True, tag="issue.renewed"):
    """The holder of an issue gave a sign of life."""

    process_id: str
    lease_until: datetime


class IssueCheckedIn(_IssueEvent, frozen=True, kw_only=True, tag="issue.checked_in"):
    """A process gave an issue back, with its result."""

    status: IssueStatus
    process_id: str | None = None


class IssueUpdated(_IssueEvent, frozen=True, kw_only=True, tag="issue.updated"):
    """The state or record of an issue was changed without its being checked out."""

    status: IssueStatus


class IssueOrphaned(_IssueEvent, frozen=True, kw_only=True, tag="issue.orphaned"):
    """The holder of an issue was found dead, and the issue was taken from it."""

    process_id: str | None
    reason: str


class IssueReset(_IssueEvent, frozen=True, kw_only=True, tag="issue.reset"):
    """All that was known of an issue was forgotten."""


class StateChanged(_Event, frozen=True, kw_only=True, tag="state.changed"):
    """An entry of a namespace was set, or deleted (``version`` 0).

    ``old`` and ``new`` are JSON texts; absent when there was, or is, no value.
    Large values are not in the event but ``kept_aside`` for a while, under
    ``poppo:change:{kept_aside}``.
    """

    namespace: str
    key: str
    version: int
    old: str | None = None
    new: str | None = None
    kept_aside: str = ""


class ProcessRegistered(_ProcessEvent, frozen=True, kw_only=True, tag="process.registered"):
    """A process announced itself."""

    role: str


class ProcessEnded(_ProcessEvent, frozen=True, kw_only=True, tag="process.ended"):
    """A process left, or was found dead; what it held was given back."""

    final_status: str
    reason: str


class LockAcquired(_LockEvent, frozen=True, kw_only=True, tag="lock.acquired"):
    """Somebody holds a lock now."""

    token: int
    lease_until: datetime


class LockReleased(_LockEvent, frozen=True, kw_only=True, tag="lock.released"):
    """A lock was given back."""


class LabelQueued(_LabelEvent, frozen=True, kw_only=True, tag="label.queued"):
    """A label request waits to be delivered."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    has_comment: bool = False


class LabelSent(_LabelEvent, frozen=True, kw_only=True, tag="label.sent"):
    """A label request was delivered."""


class LabelFailed(_LabelEvent, frozen=True, kw_only=True, tag="label.failed"):
    """A delivery failed; ``given_up`` when it is not tried again."""

    error: str
    given_up: bool


Event = (
    IssueCheckedOut
    | IssueRenewed
    | IssueCheckedIn
    | IssueUpdated
    | IssueOrphaned
    | IssueReset
    | StateChanged
    | ProcessRegistered
    | ProcessEnded
    | LockAcquired
    | LockReleased
    | LabelQueued
    | LabelSent
    | LabelFailed
)
