"""Issues: check-out, signs of life, check-in, and what was left behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchard_client.call import Call, answers, get, send
from orchard_client.models.issues import (
    Issue,
    IssueBeat,
    IssuesPage,
    IssueStatistics,
    Orphans,
)
from orchard_client.models.state import EventsPage

_issue, _orphans = answers(Issue), answers(Orphans)


def list_issues(
    *, status: str | None = None, limit: int = 50, cursor: str = ""
) -> Call[IssuesPage]:  # fmt: skip
    """One page of issues, those first whose state changed last."""
    query = {"status": status, "limit": limit, "cursor": cursor}
    return get("/issues", answers(IssuesPage), query=query)


def get_issue(number: int) -> Call[Issue]:
    """The record of an issue."""
    return get(f"/issues/{number:d}", _issue)


def get_issue_statistics() -> Call[IssueStatistics]:
    """How many issues are in which state."""
    return get("/issues/statistics", answers(IssueStatistics))


def get_issue_history(number: int, *, cursor: str = "", limit: int = 100) -> Call[EventsPage]:
    """The events of one issue, oldest first."""
    query = {"cursor": cursor, "limit": limit}
    return get(f"/issues/{number:d}/history", answers(EventsPage), query=query)


def check_out_issue(
    number: int, process_id: str, *, task_type: str | None = None, pid: int | None = None,
    host: str | None = None, ttl_s: float | None = None,
) -> Call[Issue]:  # fmt: skip
    """Take an issue: nobody else gets it until it is checked in or its lease is over."""
    body = {
        "process_id": process_id, "task_type": task_type, "pid": pid, "host": host, "ttl_s": ttl_s,
    }  # fmt: skip
    return send("POST", f"/issues/{number:d}/checkout", _issue, body, repeatable=True)


def send_issue_heartbeat(
    number: int, *, process_id: str | None = None, token: int | None = None
) -> Call[IssueBeat]:
    """Keep a check-out alive; ``alive`` is false when nobody holds the issue."""
    body = {"process_id": process_id, "token": token}
    path = f"/issues/{number:d}/heartbeat"
    return send("POST", path, answers(IssueBeat), body, repeatable=True)


def check_in_issue(
    number: int, *, status: str = "completed", result: Any = None,
    process_id: str | None = None, token: int | None = None,
) -> Call[Issue]:  # fmt: skip
    """Give an issue back with what came of it; saying it again is answered as the first time."""
    body = {"status": status, "result": result, "process_id": process_id, "token": token}
    return send("POST", f"/issues/{number:d}/checkin", _issue, body, repeatable=True)


def update_issue(
    number: int, status: str, *, metadata: Mapping[str, Any] | None = None,
    process_id: str | None = None, token: int | None = None,
) -> Call[Issue]:  # fmt: skip
    """Set the state of an issue, and add to its metadata."""
    body = {"status": status, "metadata": metadata, "process_id": process_id, "token": token}
    return send("PATCH", f"/issues/{number:d}", _issue, body)


def reset_issue(number: int) -> Call[Issue]:
    """Forget all that is known of an issue."""
    return send("DELETE", f"/issues/{number:d}", _issue)


def list_orphans() -> Call[Orphans]:
    """Issues whose process is gone."""
    return get("/issues/orphans", _orphans)


def repair_orphans(numbers: Sequence[int] | None = None) -> Call[Orphans]:
    """Take orphans from their dead processes: these, or all."""
    body = {"numbers": None if numbers is None else list(numbers)}
    return send("POST", "/issues/orphans", _orphans, body)
