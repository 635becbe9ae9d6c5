"""Processes: agents that announce themselves, show that they are alive, and end."""

from __future__ import annotations

from datetime import datetime

import msgspec

from statecore.domain.names import check_name

ACTIVE, ENDED = "active", "ended"


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """One process, as ``poppo:process:info:{id}`` holds it (CONTRACTS section 1)."""

    process_id: str
    pid: int | None = None
    host: str | None = None
    role: str | None = None
    status: str = ACTIVE
    task_type: str | None = None
    issue_number: int | None = None
    """The issue it checked out last."""
    last_seen: datetime | None = None
    end_time: datetime | None = None
    final_status: str | None = None


def announce(
    process_id: str, *, pid: int | None = None, host: str | None = None, role: str = "agent",
    task_type: str | None = None, at: datetime,
) -> Process:  # fmt: skip
    """A process that has just said that it is there.

    Raises:
        InvalidInput: its id cannot be a name.
    """
    check_name("process_id", process_id)
    return Process(
        process_id=process_id, pid=pid, host=host, role=role, task_type=task_type, last_seen=at
    )


def end(process: Process, final_status: str, *, at: datetime) -> Process:
    """A process that is there no more."""
    return msgspec.structs.replace(process, status=ENDED, end_time=at, final_status=final_status)
