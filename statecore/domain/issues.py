"""Issues: who works on one, since when, how long it is held, and what became of it.

A check-out is a lease with a fencing token (DESIGN section 4). The record is
that of CONTRACTS section 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from statecore.domain.errors import (
    HeldByAnother,
    InvalidInput,
    NotCheckedOut,
    StaleToken,
    TransitionRefused,
)
from statecore.domain.events import (
    Event,
    IssueCheckedIn,
    IssueCheckedOut,
    IssueRenewed,
    IssueReset,
    IssueUpdated,
)
from statecore.domain.lifecycle import ISSUE_MOVES, RESTING, IssueStatus, check_move
from statecore.domain.names import check_name

NUMBER_MAX = 2**53 - 1
"""The largest issue number: what every JSON reader still counts exactly."""

DEFAULT_TASK = "claude-cli"
"""The kind of task when a check-out names none (CONTRACTS section 3)."""

ERROR_COUNT, RETRY_COUNT = "errorCount", "retryCount"


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """One issue. The first fields are the contract's; ``other`` is what older programs added."""

    number: int
    status: IssueStatus
    process_id: str | None = None
    pid: int | None = None
    start_time: datetime | None = None
    last_heartbeat: datetime | None = None
    task_type: str | None = None
    end_time: datetime | None = None
    last_updated: datetime | None = None
    result: Any = None
    metadata: Mapping[str, Any] = {}
    checked_out_by: str | None = None
    """Who holds it, or held it last."""
    host: str | None = None
    token: int = 0
    ttl_ms: int | None = None
    """How long a lease lasts when the check-out asked for a time of its own."""
    lease_until: datetime | None = None
    other: Mapping[str, Any] = {}

    @property
    def is_held(self) -> bool:
        """Whether a process has checked it out."""
        return self.status is IssueStatus.PROCESSING


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who checks an issue out."""

    process_id: str
    task_type: str = DEFAULT_TASK
    pid: int | None = None
    host: str | None = None
    ttl_ms: int | None = None


class Claimant(msgspec.Struct, frozen=True, kw_only=True):
    """Who says that it holds an issue; what is ``None`` is not checked."""

    process_id: str | None = None
    token: int | None = None


class IssueChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision on an issue leads to; ``issue`` is ``None`` when it was forgotten."""

    issue: Issue | None
    events: tuple[Event, ...] = ()


ANYBODY = Claimant()


def check_number(number: object) -> int:
    """The number of an issue, from whatever a caller gave.

    Raises:
        InvalidInput: it is no whole number from 1 to ``NUMBER_MAX``.
    """
    if isinstance(number, str) and number.isascii() and number.isdigit() and len(number) <= 16:
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= NUMBER_MAX:
        raise InvalidInput("issue", f"must be a whole number from 1 to {NUMBER_MAX}")
    return number


def check_status(status: object) -> IssueStatus:
    """A status by its name.

    Raises:
        InvalidInput: there is no such status; names those that there are.
    """
    try:
        return IssueStatus(status)  # type: ignore[arg-type]  # a wrong type is no status either
    except ValueError:
        raise InvalidInput("status", f"must be one of {', '.join(IssueStatus)}") from None


def check_out(
    before: Issue | None, number: int, holder: Holder, lease_ms: int, *, token: int, at: datetime
) -> IssueChange:
    """Give an issue to a process, unless another one holds it.

    ``token`` is the new holder's fencing token. The same process may check out
    again: its lease begins anew and its token stays, unless it is another
    incarnation (other pid or host). A lease that has run out no longer protects
    its holder.

    Raises:
        HeldByAnother: another process holds it; names it.
    """
    check_name("process_id", holder.process_id)
    is_holder = before is not None and before.is_held and before.process_id == holder.process_id
    if before and before.is_held and not is_holder and not is_over(before, at):
        raise held_by(before)
    same = is_holder and before and (before.pid, before.host) == (holder.pid, holder.host)
    until = at + timedelta(milliseconds=holder.ttl_ms or lease_ms)
    issue = Issue(
        number=number, status=IssueStatus.PROCESSING, process_id=holder.process_id,
        pid=holder.pid, host=holder.host, task_type=holder.task_type, start_time=at,
        last_heartbeat=at, metadata=_counts(before, is_holder), last_updated=at,
        token=before.token if same and before else token, lease_until=until,
        ttl_ms=holder.ttl_ms, checked_out_by=holder.process_id,
        other=before.other if before else {},
    )  # fmt: skip
    event = IssueCheckedOut(
        at=at, issue=number, process_id=holder.process_id, task_type=holder.task_type,
        token=issue.token, lease_until=until, taken_from=_taken_from(before, is_holder),
    )  # fmt: skip
    return IssueChange(issue=issue, events=(event,))


def renew(before: Issue, claimant: Claimant, lease_ms: int, *, at: datetime) -> IssueChange:
    """Note a sign of life of the holder; its lease lasts from now.

    Raises:
        HeldByAnother: the claimant does not hold it.
        StaleToken: the claimant has another token than the holder.
    """
    check_holder(before, claimant)
    until = at + timedelta(milliseconds=before.ttl_ms or lease_ms)
    issue = msgspec.structs.replace(before, last_heartbeat=at, last_updated=at, lease_until=until)
    holder = before.process_id or ""
    event = IssueRenewed(at=at, issue=before.number, process_id=holder, lease_until=until)
    return IssueChange(issue=issue, events=(event,))


def check_in(
    before: Issue | None, number: int, status: IssueStatus, result: Any, claimant: Claimant, *,
    at: datetime,
) -> IssueChange:  # fmt: skip
    """Take an issue back from its holder, with what came of it.

    Repeating a check-in that was accepted changes nothing.

    Raises:
        NotCheckedOut: nobody holds it.
        HeldByAnother: somebody else than the claimant holds it.
        StaleToken: the claimant has another token than the holder.
        InvalidInput: the status is none that an issue can rest in.
    """
    check_resting(status)
    if before and _is_repeated(before, status, claimant):
        return IssueChange(issue=before)
    if before is None or not before.is_held:
        raise NotCheckedOut(_not_checked_out(number, claimant))
    check_holder(before, claimant)
    check_move(ISSUE_MOVES, before.status, status, f"Issue #{number}")
    issue = msgspec.structs.replace(
        _let_go(before, at), status=status, result=result,
        metadata=_with_error(before.metadata, status),
    )  # fmt: skip
    event = IssueCheckedIn(at=at, issue=number, status=status, process_id=before.process_id)
    return IssueChange(issue=issue, events=(event,))


def update(
    before: Issue | None, number: int, status: IssueStatus, metadata: Mapping[str, Any],
    claimant: Claimant = ANYBODY, *, at: datetime,
) -> IssueChange:  # fmt: skip
    """Set the state of an issue that nobody holds, or that the claimant does.

    Raises:
        HeldByAnother: a process holds it, and the claimant does not say that it is this one.
        StaleToken: the claimant has another token than the holder.
        TransitionRefused: it cannot become this; processing needs a check-out.
    """
    if before and before.is_held:
        if claimant == ANYBODY:
            raise held_by(before)
        check_holder(before, claimant)
        before = _let_go(before, at)
    if status not in RESTING:
        raise TransitionRefused(f"Issue #{number} becomes {status} by a check-out only")
    issue = before or Issue(number=number, status=status)
    check_move(ISSUE_MOVES, issue.status, status, f"Issue #{number}")
    issue = msgspec.structs.replace(
        issue, status=status, last_updated=at, metadata={**issue.metadata, **metadata}
    )
    return IssueChange(issue=issue, events=(IssueUpdated(at=at, issue=number, status=status),))


def reset(before: Issue, *, at: datetime) -> IssueChange:
    """Forget an issue, whoever holds it; a late report of its holder is refused then."""
    return IssueChange(issue=None, events=(IssueReset(at=at, issue=before.number),))


def check_holder(issue: Issue, claimant: Claimant) -> None:
    """Let only the holder act.

    Raises:
        HeldByAnother: another process holds it.
        StaleToken: the token is not the holder's.
    """
    if claimant.process_id is not None and claimant.process_id != issue.process_id:
        raise HeldByAnother(
            f"Issue #{issue.number} is not checked out by process {claimant.process_id}",
            holder=issue.process_id, issue=issue.number,
        )  # fmt: skip
    if claimant.token is not None and claimant.token != issue.token:
        raise StaleToken(holder=issue.process_id, issue=issue.number)


def check_resting(status: IssueStatus) -> None:
    """Refuse a state that a check-in cannot lead to.

    Raises:
        InvalidInput: it is ``processing``.
    """
    if status not in RESTING:
        raise InvalidInput("status", f"must be one of {', '.join(sorted(RESTING))}")


def is_over(issue: Issue, at: datetime) -> bool:
    """Whether the lease of a held issue has run out."""
    return issue.lease_until is not None and at >= issue.lease_until


def held_by(issue: Issue) -> HeldByAnother:
    """The refusal that names the holder, in the words of CONTRACTS section 4."""
    return HeldByAnother(
        f"Issue #{issue.number} is already being processed by {issue.process_id}",
        holder=issue.process_id, issue=issue.number,
    )  # fmt: skip


def _let_go(issue: Issue, at: datetime) -> Issue:
    """The issue without its holder; what is cleared is null in the record (CONTRACTS section 3)."""
    return msgspec.structs.replace(
        issue, process_id=None, pid=None, last_heartbeat=None, end_time=at, last_updated=at,
        lease_until=None, ttl_ms=None,
    )  # fmt: skip


def _taken_from(before: Issue | None, is_holder: bool) -> str:
    return before.process_id or "" if before and before.is_held and not is_holder else ""


def _counts(before: Issue | None, is_holder: bool) -> dict[str, Any]:
    """Retries grow when an issue is begun again that failed, or whose holder was lost."""
    counts = {RETRY_COUNT: 0, ERROR_COUNT: 0, **(before.metadata if before else {})}
    failed = before and before.status is IssueStatus.ERROR
    lost = before and before.is_held and not is_holder
    if failed or lost:
        counts[RETRY_COUNT] = _count(counts[RETRY_COUNT]) + 1
    return counts


def _with_error(metadata: Mapping[str, Any], status: IssueStatus) -> Mapping[str, Any]:
    if status is not IssueStatus.ERROR:
        return metadata
    return {**metadata, ERROR_COUNT: _count(metadata.get(ERROR_COUNT)) + 1}


def _count(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _is_repeated(before: Issue, status: IssueStatus, claimant: Claimant) -> bool:
    return (
        not before.is_held and claimant.token is not None and before.token == claimant.token
        and before.status is status and claimant.process_id in (None, before.checked_out_by)
    )  # fmt: skip


def _not_checked_out(number: int, claimant: Claimant) -> str:
    by = f" by process {claimant.process_id}" if claimant.process_id else ""
    return f"Issue #{number} is not checked out{by}"
