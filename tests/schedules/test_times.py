"""When a schedule comes next, against a slow oracle and known tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchard.domain import schedules
from orchard.domain.errors import InvalidInput
from orchard.domain.schedules import Schedule, next_after, settle

MINUTE = timedelta(minutes=1)
CHANGES = {
    "Europe/Berlin": (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)),
    "America/New_York": (datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC)),
}
moments = st.sampled_from([(zone, at) for zone, each in CHANGES.items() for at in each]).flatmap(
    lambda pair: st.tuples(
        st.just(pair[0]),
        st.integers(-3 * 86_400, 2 * 86_400).map(lambda s: pair[1] + timedelta(seconds=s)),
    )
)


def some_of(most: int):
    return st.sets(st.integers(0, most), min_size=1, max_size=4)


def said(values: set[int]) -> str:
    return ",".join(map(str, sorted(values)))


def is_real(local: datetime) -> bool:
    return local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) == local.replace(
        tzinfo=None
    )


def by_the_clock(hours: set[int], minutes: set[int], zone: str, at: datetime) -> Iterator[datetime]:
    """Each minute and hour of a few days, once; what is left out at the first minute that is."""
    first = at.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    for day in range(-1, 6):
        for hour in hours:
            for minute in minutes:
                local = (first + timedelta(days=day)).replace(hour=hour, minute=minute)
                while not is_real(local):
                    local += MINUTE
                yield local.astimezone(UTC)


@given(some_of(23), some_of(59), moments)
def test_minutes_and_hours_come_once_a_day_whatever_the_clocks_do(hours, minutes, moment):
    zone, at = moment
    found = next_after(f"{said(minutes)} {said(hours)} * * *", zone, at)
    assert found == min(one for one in by_the_clock(hours, minutes, zone, at) if one > at)


@given(some_of(59) | st.just(set(range(60))), some_of(23), moments, st.booleans())
def test_with_a_star_the_real_hours_are_followed(minutes, hours, moment, is_every_hour):
    zone, at = moment
    if is_every_hour:
        hours = set(range(24))
    elif len(minutes) < 60:
        minutes = set(range(0, 60, 7))
    spelled = "*" if len(minutes) == 60 else "*/7" if not is_every_hour else said(minutes)
    expression = f"{spelled} {'*' if is_every_hour else said(hours)} * * *"
    walked = at.replace(second=0) + MINUTE
    while True:
        local = walked.astimezone(ZoneInfo(zone))
        if local.hour in hours and local.minute in minutes:
            break
        walked += MINUTE
    assert next_after(expression, zone, at) == walked


@pytest.mark.parametrize(
    ("cron", "zone", "at", "expected"),
    [
        # forward: there is no 2:30
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z",
         ["2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"]),
        ("0 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00Z",
         ["2026-03-29T03:00+02:00", "2026-03-30T02:00+02:00"]),
        ("0 * * * *", "America/New_York", "2026-03-08T01:30-05:00",
         ["2026-03-08T03:00-04:00", "2026-03-08T04:00-04:00"]),
        # back: there are two 1:30, two 2:30
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z",
         ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"]),
        ("30 1 * * *", "America/New_York", "2026-11-01T01:15-05:00",
         ["2026-11-02T01:30-05:00"]),
        ("0 * * * *", "America/New_York", "2026-11-01T00:30-04:00",
         ["2026-11-01T01:00-04:00", "2026-11-01T01:00-05:00", "2026-11-01T02:00-05:00"]),
        # the rest
        ("0 12 29 2 *", "UTC", "2026-01-01T00:00Z", ["2028-02-29T12:00Z", "2032-02-29T12:00Z"]),
        ("0 0 13 * FRI", "UTC", "2026-02-12T00:00Z", ["2026-02-13T00:00Z", "2026-02-20T00:00Z"]),
        ("0 9 L * *", "Asia/Tokyo", "2026-02-01T00:00Z", ["2026-02-28T09:00+09:00"]),
        ("30 6 * * 7", "UTC", "2026-11-21T00:00Z", ["2026-11-22T06:30Z"]),
        ("15 10 * * *", "UTC", "2026-11-21T10:15Z", ["2026-11-22T10:15Z"]),
    ],
)  # fmt: skip
def test_known_times(cron, zone, at, expected):
    moment = datetime.fromisoformat(at)
    for one in expected:
        moment = next_after(cron, zone, moment)
        assert moment == datetime.fromisoformat(one)


@pytest.mark.parametrize(
    ("cron", "zone", "field"),
    [
        ("* * * *", "UTC", "cron"),
        ("* * * * * *", "UTC", "cron"),
        ("@daily", "UTC", "cron"),
        ("60 * * * *", "UTC", "cron"),
        ("*/0 * * * *", "UTC", "cron"),
        ("0 0 31 2 *", "UTC", "cron"),
        ("0 0 * * *" + " " * 200, "UTC", "cron"),
        ("0 0 * * *", "Mars/Olympus", "time_zone"),
        ("0 0 * * *", "../etc/passwd", "time_zone"),
        ("0 0 * * *", "", "time_zone"),
    ],
)
def test_what_is_no_time_is_refused_with_its_field(cron, zone, field):
    with pytest.raises(InvalidInput) as refused:
        next_after(cron, zone, datetime(2026, 11, 21, tzinfo=UTC))
    assert refused.value.field == field


@given(st.lists(st.text("0123456789*/-,#LWMONJAN²٣", max_size=6), min_size=4, max_size=6))
def test_whatever_is_typed_is_a_time_to_come_or_refused(fields):
    at = datetime(2026, 11, 21, tzinfo=UTC)
    try:
        found = next_after(" ".join(fields), "Europe/Berlin", at)
    except InvalidInput as refused:
        found, field = None, refused.field
    assert found > at if found else field == "cron"


AT = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)
DUE = datetime(2026, 11, 21, 12, tzinfo=UTC)
NEXT = datetime(2026, 11, 21, 13, tzinfo=UTC)
WAITING = Schedule(
    schedule_id="0" * 16, name="n", owner="ann", cron="0 * * * *", time_zone="UTC",
    filename="a", source="a", size=1, created_at=AT, next_at=DUE,
)  # fmt: skip


def test_what_was_missed_is_made_up_for_once():
    late = AT + timedelta(days=3)
    after = settle(WAITING, DUE, late, job_id="j1")
    assert (after.last_at, after.last_job_id) == (DUE, "j1")
    assert after.next_at == late.replace(hour=13, minute=0, second=0)


def test_who_comes_second_changes_nothing():
    first = settle(WAITING, DUE, AT, job_id="j1")
    assert first.next_at == NEXT
    assert settle(first, DUE, AT, job_id="j1") == first
    assert settle(first, DUE, AT, error="no room") == first


def test_a_job_counts_for_more_than_a_failure_to_make_it_again():
    failed = settle(WAITING, DUE, AT, error="no room")
    assert (failed.last_job_id, failed.last_error, failed.next_at) == ("", "no room", NEXT)
    made = settle(failed, DUE, AT, job_id="j1")
    assert (made.last_job_id, made.last_error, made.next_at) == ("j1", "", NEXT)


def test_a_job_that_was_asked_for_beside_is_the_last_one_and_the_next_time_stays():
    beside = settle(WAITING, AT, AT, job_id="j2")
    assert (beside.last_at, beside.last_job_id, beside.next_at) == (AT, "j2", DUE)
    after = settle(beside, DUE, AT, job_id="j1")
    assert (after.last_job_id, after.next_at) == ("j2", NEXT)


def test_a_zone_that_is_gone_disables_the_schedule_and_says_so():
    lost = msgspec.structs.replace(WAITING, time_zone="Mars/Olympus")
    after = settle(lost, DUE, AT, error="no room")
    assert (after.is_enabled, after.next_at, after.last_error) == (False, None, "no room")
    assert "no time zone" in settle(lost, DUE, AT).last_error


def test_enabled_again_it_waits_for_its_next_time_from_then_on():
    resting = schedules.begin(msgspec.structs.replace(WAITING, is_enabled=False), AT)
    assert resting.next_at is None
    again = msgspec.structs.replace(resting, is_enabled=True)
    assert schedules.begin(again, AT + timedelta(hours=5)).next_at == NEXT + timedelta(hours=5)
