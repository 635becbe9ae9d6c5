"""Orphans: issues whose process is gone are found, taken from it, and spoken of on the issue."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from datetime import datetime

from statecore import codec, keys
from statecore.domain import issues, orphans
from statecore.domain.errors import NotCheckedOut, StateError
from statecore.domain.events import IssueOrphaned
from statecore.domain.issues import Claimant, Issue, IssueChange
from statecore.domain.lifecycle import IssueStatus
from statecore.domain.orphans import IsAlive, Orphan
from statecore.repository import issue_cells
from statecore.services.checkouts import change_issue
from statecore.services.engine import get_limits
from statecore.store import ops
from statecore.store.steps import Steps, now, read

Comment = Callable[[Orphan], str]
"""The words of the comment on an orphaned issue."""


def is_alive(pid: int) -> bool:
    """Whether there is a process of this pid on this host."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OverflowError, ValueError):  # no system has such a pid
        return False
    except PermissionError:
        return True
    return True


def list_held() -> Steps[list[Issue]]:
    """All issues that are checked out, by number; damaged records are left out."""
    (members,) = yield from read(ops.Members(keys.ISSUES_PROCESSING))
    numbers = sorted(int(member) for member in members if member.isdigit())
    raws = yield from read(*(issue_cells(number)[0] for number in numbers))
    found = []
    for number, raw in zip(numbers, raws, strict=True):
        if raw is not None and (issue := _readable(number, raw)) and issue.is_held:
            found.append(issue)
    return found


def detect(
    *, host: str | None = None, alive: IsAlive = is_alive, held: list[Issue] | None = None
) -> Steps[list[Orphan]]:
    """Issues whose process is gone, by number; of those that are ``held``, if they were read."""
    if held is None:
        held = yield from list_held()
    at = yield from now()
    limit_ms, here = get_limits().heartbeat_limit_ms, host or socket.gethostname()
    found = [
        Orphan(issue=issue, reason=orphans.find_reason(issue, limit_ms, here, alive, at))
        for issue in held
    ]
    return [orphan for orphan in found if orphan.reason]


def repair(
    orphan: Orphan, comment: Comment, *, host: str | None = None, alive: IsAlive = is_alive
) -> Steps[Issue | None]:
    """Check an orphan in as ``error`` and ask for a comment; ``None`` when it is none any more.

    It is looked at again in the commit: whoever has come back to life meanwhile keeps its issue.
    """
    number, here = orphan.issue.number, host or socket.gethostname()
    limit_ms, result = get_limits().heartbeat_limit_ms, {"error": orphans.DIED}

    def decide(before: Issue | None, at: datetime) -> IssueChange:
        if before is None or before.token != orphan.issue.token:
            return IssueChange(issue=before)
        reason = orphans.find_reason(before, limit_ms, here, alive, at)
        if not reason:
            return IssueChange(issue=before)
        result.update(orphans.describe(Orphan(issue=before, reason=reason), at))
        claimant = Claimant(process_id=before.process_id, token=before.token)
        change = issues.check_in(before, number, IssueStatus.ERROR, dict(result), claimant, at=at)
        event = IssueOrphaned(at=at, issue=number, process_id=before.process_id, reason=reason)
        return IssueChange(issue=change.issue, events=(event, *change.events))

    change = yield from change_issue(
        number, decide, result=result, comment=lambda at: comment(orphan)
    )
    return change.issue if change.events else None


def repair_number(number: int, comment: Comment) -> Steps[Issue]:
    """Repair one orphan by its number.

    Raises:
        NotCheckedOut: the issue is no orphan (any more).
    """
    (raw,) = yield from read(issue_cells(number)[0])
    issue = _readable(number, raw) if raw is not None else None
    held = [issue] if issue and issue.is_held else []
    for orphan in (yield from detect(held=held)):
        if repaired := (yield from repair(orphan, comment)):
            return repaired
    raise NotCheckedOut(f"Issue #{number} is no orphan", issue=number)


def repair_all(
    comment: Comment, *, host: str | None = None, alive: IsAlive = is_alive
) -> Steps[list[Orphan]]:
    """Repair every orphan there is; those that were repaired."""
    repaired = []
    for orphan in (yield from detect(host=host, alive=alive)):
        if (yield from repair(orphan, comment, host=host, alive=alive)):
            repaired.append(orphan)
    return repaired


def _readable(number: int, raw: bytes) -> Issue | None:
    try:
        return codec.decode_issue(number, raw)
    except StateError:
        return None
