"""Orphans: issues whose process is gone (CONTRACTS section 3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from statecore.domain.issues import Issue, is_over

PROCESS_GONE, SILENT, LEASE_OVER = "process_gone", "heartbeat_over_limit", "lease_expired"

DIED = "Process died unexpectedly"
"""What the record says of an orphan (CONTRACTS section 3)."""

COMMENT = (
    "The process that worked on this issue died unexpectedly. The issue was given back as `error`."
)
"""What is said on an orphaned issue, before it is translated."""

IsAlive = Callable[[int], bool]
"""Whether a process of this host, by its pid, is there."""


class Orphan(msgspec.Struct, frozen=True, kw_only=True):
    """An issue that is held by nobody who is alive, and how that was noticed."""

    issue: Issue
    reason: str


def find_reason(issue: Issue, limit_ms: int, host: str, is_alive: IsAlive, at: datetime) -> str:
    """Why an issue is an orphan, or nothing.

    A check-out that asked for a lease of its own may be silent for as long;
    others for ``limit_ms``. Only processes of this ``host`` can be looked at.
    """
    if not issue.is_held:
        return ""
    if issue.pid is not None and issue.host == host and not is_alive(issue.pid):
        return PROCESS_GONE
    if is_over(issue, at):
        return LEASE_OVER
    heard = issue.last_heartbeat or issue.start_time
    limit = timedelta(milliseconds=issue.ttl_ms or limit_ms)
    return SILENT if heard is None or at - heard > limit else ""


def describe(orphan: Orphan, at: datetime) -> dict[str, Any]:
    """The result that an orphan is checked in with (CONTRACTS section 3)."""
    stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"error": DIED, "orphanedAt": stamp, "originalPid": orphan.issue.pid}
