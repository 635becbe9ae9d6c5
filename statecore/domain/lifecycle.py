"""The states of issues and label requests, and the one table of moves for each.

Sources: CONTRACTS section 3 (names), DESIGN section 6 (label requests).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from statecore.domain.errors import TransitionRefused


class IssueStatus(StrEnum):
    """Where an issue is."""

    PENDING = "pending"
    """Nobody works on it."""
    PROCESSING = "processing"
    """A process has checked it out, and holds its lease."""
    COMPLETED = "completed"
    """It was checked in as done."""
    AWAITING_RESPONSE = "awaiting-response"
    """It was checked in with a question to people."""
    ERROR = "error"
    """It was checked in as failed, or its process died."""


class LabelStatus(StrEnum):
    """Where a label request is."""

    QUEUED = "queued"
    """It waits to be delivered, or rests until its next attempt."""
    SENT = "sent"
    """It was delivered."""
    FAILED = "failed"
    """Dead letter: it was refused, or failed as often as it may. It can be retried by hand."""


ISSUE_MOVES: Mapping[IssueStatus, frozenset[IssueStatus]] = {
    # A check-out leads to processing (again, when the lease was over), a check-in away from it.
    IssueStatus.PROCESSING: frozenset(IssueStatus),
    IssueStatus.PENDING: frozenset(IssueStatus),
    IssueStatus.COMPLETED: frozenset(IssueStatus),
    IssueStatus.AWAITING_RESPONSE: frozenset(IssueStatus),
    IssueStatus.ERROR: frozenset(IssueStatus),
}
"""From each state of an issue, the states it may move to; who may move it is the lease's matter."""

LABEL_MOVES: Mapping[LabelStatus, frozenset[LabelStatus]] = {
    LabelStatus.QUEUED: frozenset({LabelStatus.QUEUED, LabelStatus.SENT, LabelStatus.FAILED}),
    LabelStatus.FAILED: frozenset({LabelStatus.QUEUED}),
    LabelStatus.SENT: frozenset(),
}
"""From each state of a label request, the states it may move to."""

RESTING = frozenset(IssueStatus) - {IssueStatus.PROCESSING}
"""States in which nobody holds an issue: what a check-in may lead to."""

PROCESSED = frozenset({IssueStatus.COMPLETED, IssueStatus.AWAITING_RESPONSE})
"""States in which an issue counts as processed (CONTRACTS section 2)."""

S = TypeVar("S", IssueStatus, LabelStatus)


def check_move(moves: Mapping[S, frozenset[S]], now: S, to: S, what: str) -> None:
    """Allow a move that the table has.

    Raises:
        TransitionRefused: the table does not have it.
    """
    if to not in moves[now]:
        raise TransitionRefused(f"{what} is {now} and cannot become {to}", status=str(now))
