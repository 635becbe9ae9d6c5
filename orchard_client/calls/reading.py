"""What happens and what is said: events and log lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from orchard_client.call import Call, answers, get, send
from orchard_client.models.state import EventsPage, Health, LogsPage, LogsTaken, Me


def list_events(*, cursor: str = "", limit: int = 100, wait_s: float = 0) -> Call[EventsPage]:
    """Events after a cursor, waiting up to ``wait_s`` seconds (at most 30) for the first.

    Without a cursor all that are kept, with ``$`` those from now on.
    """
    query = {"cursor": cursor, "limit": limit, "wait_s": wait_s}
    return get("/events", answers(EventsPage), query=query, wait_s=wait_s)


def search_logs(
    *, q: str = "", level: str | int | None = None, process: str = "", worker: str = "",
    job: str = "", issue: int | None = None, since: datetime | None = None,
    until: datetime | None = None, limit: int = 100, cursor: str = "",
) -> Call[LogsPage]:  # fmt: skip
    """One page of log lines, newest first; all that is given must be true of a line."""
    query = {
        "q": q, "level": level, "process": process, "worker": worker, "job": job, "issue": issue,
        "since": since, "until": until, "limit": limit, "cursor": cursor,
    }  # fmt: skip
    return get("/logs", answers(LogsPage), query=query)


def send_logs(lines: Sequence[Mapping[str, Any]]) -> Call[LogsTaken]:
    """Keep log lines: each a ``message``, with ``level``, ``time``, ``process`` … if known."""
    return send("POST", "/logs", answers(LogsTaken), {"lines": [dict(line) for line in lines]})


def whoami() -> Call[Me]:
    """In whose name the token speaks, and what it may do."""
    return get("/whoami", answers(Me))


def check_health() -> Call[Health]:
    """Whether the server can work: it answers, and so does its state engine."""
    return Call(method="GET", path="/readyz", read=answers(Health), repeatable=True, patience_s=0)
