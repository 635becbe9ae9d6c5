"""Issues: agents check them out, keep them alive, and check them in (CONTRACTS section 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from statecore import codec
from statecore.domain import issues
from statecore.domain.errors import UnknownIssue
from statecore.domain.issues import ANYBODY, Claimant, Holder, Issue, IssueChange
from statecore.domain.lifecycle import IssueStatus
from statecore.repository import Draft, find_issue, issue_cells
from statecore.services.drafting import draft_comment, draft_issue, next_token
from statecore.services.engine import get_limits
from statecore.services.values import encode_value, new_id
from statecore.store.steps import Decision, Seen, Steps, read, transact


def check_out(number: int, holder: Holder) -> Steps[Issue]:
    """Give an issue to a process; its token goes with every report on it.

    Raises:
        HeldByAnother: another process holds it; names it.
        InvalidInput: number, process or lease will not do.
    """
    number = issues.check_number(number)
    limits, change_id = get_limits(), new_id()

    def decide(seen: Seen, at: datetime) -> Decision[Issue]:
        before = find_issue(seen, number)
        token = next_token(seen, number, at)
        change = issues.check_out(before, number, holder, limits.issue_lease_ms, token=token, at=at)
        draft = draft_issue(seen, before, change, at, change_id)
        if change.issue:
            draft.works_on(change.issue)
        return Decision(_sure(change), draft.writes())

    return (yield from transact(issue_cells(number), decide))


def heartbeat(number: int, claimant: Claimant = ANYBODY) -> Steps[Issue | None]:
    """Keep a check-out alive; ``None`` when nobody holds the issue.

    Raises:
        HeldByAnother: the claimant does not hold it.
        StaleToken: it has been checked out anew since.
    """
    number = issues.check_number(number)
    limits, change_id = get_limits(), new_id()

    def decide(seen: Seen, at: datetime) -> Decision[Issue | None]:
        before = find_issue(seen, number)
        if before is None or not before.is_held:
            return Decision(None)
        change = issues.renew(before, claimant, limits.issue_lease_ms, at=at)
        draft = Draft(limits, at)
        draft.issue(before, change.issue, seen, change_id)
        draft.events(change.events)
        return Decision(change.issue, draft.writes())

    return (yield from transact(issue_cells(number), decide))


def check_in(
    number: int, status: IssueStatus = IssueStatus.COMPLETED, result: Any = None,
    claimant: Claimant = ANYBODY,
) -> Steps[Issue]:  # fmt: skip
    """Take an issue back from its holder, with what came of it.

    Repeating a check-in that was accepted is answered as the first time.

    Raises:
        NotCheckedOut: nobody holds it.
        HeldByAnother: the claimant does not hold it.
        StaleToken: it has been checked out anew since.
        InvalidInput: status or result will not do.
    """
    number = issues.check_number(number)
    issues.check_resting(status)
    encode_value(result, "result")

    def decide(before: Issue | None, at: datetime) -> IssueChange:
        return issues.check_in(before, number, status, result, claimant, at=at)

    return _sure((yield from change_issue(number, decide, result=result)))


def update(
    number: int, status: IssueStatus, metadata: Mapping[str, Any] | None = None,
    claimant: Claimant = ANYBODY,
) -> Steps[Issue]:  # fmt: skip
    """Set the state of an issue that nobody holds, or that the claimant does.

    Raises:
        HeldByAnother: a process holds it.
        StaleToken: it has been checked out anew since.
        TransitionRefused: processing needs a check-out.
    """
    number = issues.check_number(number)
    encode_value(dict(metadata or {}), "metadata")

    def decide(before: Issue | None, at: datetime) -> IssueChange:
        return issues.update(before, number, status, metadata or {}, claimant, at=at)

    return _sure((yield from change_issue(number, decide)))


def reset(number: int) -> Steps[Issue]:
    """Forget an issue, whoever holds it; returns what it was.

    Raises:
        UnknownIssue: nothing is known of it.
    """
    number = issues.check_number(number)
    change_id = new_id()

    def decide(seen: Seen, at: datetime) -> Decision[Issue]:
        before = find_issue(seen, number)
        if before is None:
            raise UnknownIssue(issue=number)
        change = issues.reset(before, at=at)
        return Decision(before, draft_issue(seen, before, change, at, change_id).writes())

    return (yield from transact(issue_cells(number), decide))


def get(number: int) -> Steps[Issue]:
    """What is known of an issue.

    Raises:
        UnknownIssue: nothing is.
    """
    number = issues.check_number(number)
    (raw,) = yield from read(issue_cells(number)[0])
    if raw is None:
        raise UnknownIssue(issue=number)
    return codec.decode_issue(number, raw)


def change_issue(
    number: int, change: Callable[[Issue | None, datetime], IssueChange], *, result: Any = None,
    comment: Callable[[datetime], str] = lambda at: "",
) -> Steps[IssueChange]:  # fmt: skip
    """Decide on an issue, and write what follows; a comment is asked for in the same commit."""
    change_id = new_id()

    def decide(seen: Seen, at: datetime) -> Decision[IssueChange]:
        before = find_issue(seen, number)
        decided = change(before, at)
        if decided.issue == before:
            return Decision(decided)
        draft = draft_issue(seen, before, decided, at, change_id)
        if decided.issue and before and before.is_held:
            draft.issue_result(number, result)
        if text := comment(at):
            draft_comment(draft, number, text, seen, at)
        return Decision(decided, draft.writes())

    return (yield from transact(issue_cells(number), decide))


def _sure(change: IssueChange) -> Issue:
    if change.issue is None:
        raise UnknownIssue
    return change.issue
