"""Label requests: what an issue's labels should become, asked of whoever keeps them.

Every change of an issue's state asks for a label update (CONTRACTS section 3).
A request is queued in the commit of the change and delivered by a worker.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from statecore.domain.events import Event, LabelFailed, LabelQueued, LabelSent
from statecore.domain.lifecycle import LABEL_MOVES, IssueStatus, LabelStatus, check_move

ERRORS_KEPT = 10
"""How many of its failures a request remembers."""


class LabelRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One request to change the labels of an issue, or to comment on it."""

    request_id: str
    issue: int
    requested_at: datetime
    status: LabelStatus = LabelStatus.QUEUED
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    comment: str = ""
    requested_by: str = ""
    process_id: str | None = None
    attempts: int = 0
    not_before: datetime | None = None
    """When a failed delivery is tried again."""
    sent_at: datetime | None = None
    errors: tuple[str, ...] = ()
    """Why deliveries failed, the latest last."""


class LabelChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision on a label request leads to."""

    request: LabelRequest
    events: tuple[Event, ...] = ()


class DeliveryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How often a request is tried, and how long it rests in between."""

    max_attempts: int = 8
    backoff_s: float = 5.0
    backoff_max_s: float = 3600.0


Labels = tuple[str, ...]


def label_difference(
    before: IssueStatus | None, after: IssueStatus | None
) -> tuple[Labels, Labels]:
    """Labels to add and to remove when an issue's state changes.

    The label of the new state is added; ``processing`` is removed when that
    was the old one (CONTRACTS section 3).
    """
    if before is after:
        return (), ()
    left = before is IssueStatus.PROCESSING
    return (str(after),) if after else (), (str(before),) if left and before else ()


def queued(request: LabelRequest) -> LabelChange:
    """A new request, with its event."""
    event = LabelQueued(
        at=request.requested_at, request_id=request.request_id, issue=request.issue,
        add=request.add, remove=request.remove, has_comment=bool(request.comment),
    )  # fmt: skip
    return LabelChange(request=request, events=(event,))


def mark_sent(request: LabelRequest, *, at: datetime) -> LabelChange:
    """The request was delivered.

    Raises:
        TransitionRefused: it was delivered before, or has been given up.
    """
    check_move(LABEL_MOVES, request.status, LabelStatus.SENT, _name(request))
    after = msgspec.structs.replace(
        request, status=LabelStatus.SENT, attempts=request.attempts + 1, sent_at=at,
        not_before=None,
    )  # fmt: skip
    event = LabelSent(at=at, request_id=request.request_id, issue=request.issue)
    return LabelChange(request=after, events=(event,))


def mark_failed(
    request: LabelRequest, error: str, policy: DeliveryPolicy, *, final: bool = False,
    retry_after_s: float | None = None, at: datetime,
) -> LabelChange:  # fmt: skip
    """A delivery failed: the request rests, or is given up when it can never work.

    Raises:
        TransitionRefused: it was delivered before, or has been given up.
    """
    attempts = request.attempts + 1
    gives_up = final or attempts >= policy.max_attempts
    status = LabelStatus.FAILED if gives_up else LabelStatus.QUEUED
    check_move(LABEL_MOVES, request.status, status, _name(request))
    rest = timedelta(seconds=_rest_s(attempts, policy, retry_after_s))
    after = msgspec.structs.replace(
        request, status=status, attempts=attempts, errors=_kept([*request.errors, error]),
        not_before=None if gives_up else at + rest,
    )  # fmt: skip
    event = LabelFailed(
        at=at, request_id=request.request_id, issue=request.issue, error=error[:500],
        given_up=gives_up,
    )  # fmt: skip
    return LabelChange(request=after, events=(event,))


def retry(request: LabelRequest, *, at: datetime) -> LabelChange:
    """Try a request again that was given up, as if it were new.

    Raises:
        TransitionRefused: it was delivered.
    """
    check_move(LABEL_MOVES, request.status, LabelStatus.QUEUED, _name(request))
    after = msgspec.structs.replace(request, status=LabelStatus.QUEUED, attempts=0, not_before=None)
    return LabelChange(request=after, events=queued(after).events)


def _rest_s(attempts: int, policy: DeliveryPolicy, asked_s: float | None) -> float:
    doubled: float = min(policy.backoff_s * 2 ** (attempts - 1), policy.backoff_max_s)
    return max(doubled, asked_s or 0.0)


def _kept(errors: Sequence[str]) -> tuple[str, ...]:
    return tuple(error[:500] for error in errors[-ERRORS_KEPT:])


def _name(request: LabelRequest) -> str:
    return f"Label request {request.request_id}"
