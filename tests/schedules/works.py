"""Schedules made and brought to their times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from django.core.files.base import ContentFile

from orchard.domain.orders import Order
from orchard.domain.schedules import Schedule
from orchard.services import queries, run, schedules

TEXT = Order(job_type="text")


def make(content: bytes = b"one\ntwo", filename: str = "a.txt", **facts: Any) -> Schedule:
    """A schedule of a text batch, once a year unless said otherwise."""
    given = {"name": "yearly", "owner": "ann", "cron": "0 0 1 1 *", "time_zone": "UTC"}
    asked = Schedule(**given | {
        "schedule_id": "", "filename": "", "source": "", "size": 0, "order": TEXT,
        "created_at": datetime.now(UTC),
    } | facts)  # fmt: skip
    return schedules.create(asked, ContentFile(content, name=filename))


def make_due(schedule: Schedule, minutes: int = 1) -> datetime:
    """As if its time had been so long ago, whatever clock there is; the time."""

    def late(one: Schedule, at: datetime) -> Schedule:
        due = at.replace(microsecond=0) - timedelta(minutes=minutes)
        return msgspec.structs.replace(one, next_at=due)

    changed = run(schedules.rewrite(schedule.schedule_id, late))
    assert changed.next_at
    return changed.next_at


def see(schedule: Schedule) -> Schedule:
    """The schedule as it is now."""
    return run(schedules.get(schedule.schedule_id))


def jobs() -> list[Any]:
    """All jobs, the newest first."""
    return [view.job for view in run(queries.list_jobs(limit=50)).jobs]
