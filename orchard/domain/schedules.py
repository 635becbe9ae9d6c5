"""Schedules: a stored file that is handed in again and again, at the times of a cron expression."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

import msgspec
from cronsim import CronSim, CronSimError

from orchard.domain.errors import InvalidInput, NotFound
from orchard.domain.events import (
    Event,
    ScheduleChanged,
    ScheduleCreated,
    ScheduleDeleted,
    ScheduleHandedIn,
    ScheduleSkipped,
)
from orchard.domain.jobs import Wishes
from orchard.domain.orders import PLAIN, Order

NAME_MAX = 100
CRON_MAX = 100
ERROR_MAX = 500

_ID = re.compile(r"[0-9a-f]{16}")


class UnknownSchedule(NotFound):
    """There is no such schedule"""

    code = "unknown_schedule"


class Schedule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is handed in, how it is to be done, and when."""

    schedule_id: str
    """16 hexadecimal characters."""
    name: str
    owner: str
    """In whose name its jobs are handed in."""
    cron: str
    """Five fields: minute, hour, day of the month, month, day of the week."""
    time_zone: str
    """Of the cron expression, by its IANA name."""
    filename: str
    source: str
    """The name of the file in storage."""
    size: int
    created_at: datetime
    use_purifier: bool | None = None
    """Its owner's preference at the time, unless given."""
    language: str = ""
    wishes: Wishes | None = None
    order: Order = PLAIN
    is_enabled: bool = True
    next_at: datetime | None = None
    """Nothing while it is disabled."""
    last_at: datetime | None = None
    """The time for which it was handed in last, or was tried to be."""
    last_job_id: str = ""
    """The job of that time; empty when there was none."""
    last_error: str = ""
    """Why there was none."""


Change = Callable[[Schedule, datetime], Schedule]
"""What becomes of a schedule at a moment."""
Tell = Callable[[Schedule, Schedule, datetime], tuple[Event, ...]]
"""What is told of a schedule that was one thing and is another since a moment."""
_SETTLED = ("next_at", "last_at", "last_job_id", "last_error")
"""What goes on by itself, with the times."""


def is_schedule_id(text: str) -> bool:
    """Whether a schedule may be called so."""
    return _ID.fullmatch(text) is not None


def next_after(cron: str, time_zone: str, at: datetime) -> datetime:
    """The first time after a moment that an expression names, in UTC.

    What names a minute and an hour is done once a day: at the first minute after the hours that
    are left out when clocks go forward, and the first time in those that come twice. With ``*``
    in front of either it follows the real hours.

    Raises:
        InvalidInput: it is no such expression, there is no such zone, or it never comes.
    """
    try:
        for moment in CronSim(_check_fields(cron), at.astimezone(_zone(time_zone))):
            # Of an hour that comes twice the first one is told, also when that is over.
            if (found := moment.astimezone(UTC)) > at:
                return found
    except (CronSimError, OverflowError) as fault:
        raise InvalidInput("cron", f"{cron[:CRON_MAX]!r}: {fault}") from None
    raise InvalidInput("cron", f"{cron[:CRON_MAX]!r} never comes")


def check_name(name: str) -> str:
    """What people call a schedule.

    Raises:
        InvalidInput: it is empty, too long, or cannot be printed.
    """
    shown = " ".join(name.split())
    if not shown or len(shown) > NAME_MAX or not shown.isprintable():
        raise InvalidInput("name", f"1 to {NAME_MAX} printable characters")
    return shown


def begin(schedule: Schedule, at: datetime) -> Schedule:
    """A new schedule, or one that was changed, as it waits for its next time.

    Raises:
        InvalidInput: its name, its expression or its zone is none.
    """
    upcoming = next_after(schedule.cron, schedule.time_zone, at)
    return msgspec.structs.replace(
        schedule, name=check_name(schedule.name), cron=" ".join(schedule.cron.split()),
        next_at=upcoming if schedule.is_enabled else None,
    )  # fmt: skip


def settle(
    schedule: Schedule, due: datetime, at: datetime, *, job_id: str = "", error: str = ""
) -> Schedule:
    """Note what came of one time, and wait for the next; times that were missed are passed over.

    Told a second time, by somebody who did the same, nothing changes; but a job that was made
    counts for more than a failure to make it again.
    """
    if schedule.next_at == due:
        try:
            upcoming = next_after(schedule.cron, schedule.time_zone, max(due, at))
            schedule = msgspec.structs.replace(schedule, next_at=upcoming)
        except InvalidInput as fault:  # a zone that this machine does not know, or the last time
            schedule = msgspec.structs.replace(schedule, next_at=None, is_enabled=False)
            error = error or ("" if job_id else str(fault))
    is_told = schedule.last_at == due and bool(schedule.last_job_id or not job_id)
    if is_told or (schedule.last_at is not None and schedule.last_at > due):
        return schedule
    return msgspec.structs.replace(
        schedule, last_at=due, last_job_id=job_id, last_error=error[:ERROR_MAX]
    )


def tell_created(made: Schedule, at: datetime) -> ScheduleCreated:
    """That there is a new schedule."""
    return ScheduleCreated(
        at=at, schedule_id=made.schedule_id, title=made.name, owner=made.owner, cron=made.cron,
        time_zone=made.time_zone, next_at=made.next_at,
    )  # fmt: skip


def tell_changed(before: Schedule, after: Schedule, at: datetime) -> tuple[Event, ...]:
    """What somebody changed; nothing of what goes on by itself."""
    went_on = {name: getattr(after, name) for name in _SETTLED}
    if msgspec.structs.replace(before, **went_on) == after:
        return ()
    told = ScheduleChanged(
        at=at, schedule_id=after.schedule_id, title=after.name, enabled=after.is_enabled,
        cron=after.cron, time_zone=after.time_zone, next_at=after.next_at,
    )  # fmt: skip
    return (told,)


def tell_deleted(gone: Schedule, at: datetime) -> ScheduleDeleted:
    """That a schedule is no more."""
    return ScheduleDeleted(at=at, schedule_id=gone.schedule_id, title=gone.name)


def tell_settled(due: datetime, job_id: str, error: str) -> Tell:
    """What came of one time, told once, by whoever is the first to note it.

    A schedule that cannot go on is disabled by it, which is told as well.
    """

    def tell(before: Schedule, after: Schedule, at: datetime) -> tuple[Event, ...]:
        changed = tell_changed(before, after, at)
        if job_id and job_id == before.last_job_id:
            return changed
        about, title = after.schedule_id, after.name
        if job_id:
            made = ScheduleHandedIn(at=at, schedule_id=about, title=title, due=due, job_id=job_id)
            return (made, *changed)
        why = error or after.last_error
        none = ScheduleSkipped(at=at, schedule_id=about, title=title, due=due, error=why)
        return (none, *changed)

    return tell


def facts_of(schedule: Schedule) -> dict[str, object]:
    """What people decide of a schedule, to be written down beside what was done to it."""
    return {
        "name": schedule.name, "owner": schedule.owner, "file": schedule.filename,
        "type": schedule.order.job_type, "cron": schedule.cron, "time_zone": schedule.time_zone,
        "enabled": schedule.is_enabled, "priority": schedule.order.priority,
        "requires": list(schedule.order.requires),
    }  # fmt: skip


def key_of(schedule_id: str, due: datetime) -> str:
    """The idempotency key of one time, by which it leads to one job, whoever makes it."""
    return f"schedule:{schedule_id}:{int(due.timestamp())}"


def _check_fields(cron: str) -> str:
    fields = cron.split()
    if len(fields) != 5 or len(cron) > CRON_MAX or not cron.isascii():
        raise InvalidInput("cron", "five fields: minute, hour, day, month and day of the week")
    return " ".join(fields)


def _zone(name: str) -> ZoneInfo:
    if name not in _zones():
        raise InvalidInput("time_zone", f"{name[:60]!r} is no time zone, such as Europe/Berlin")
    return ZoneInfo(name)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
