"""What happens to schedules is told in the events, and stands in the audit log."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from orchard import codec, keys
from orchard.domain.events import ScheduleHandedIn, ScheduleSkipped
from orchard.live.frames import make_entry, select
from orchard.live.topics import check_topic, scopes_of
from orchard.models import AuditEntry
from orchard.ports import schedule_files
from orchard.services import occurrences, queries, run, schedules
from statecore.store import ops
from tests.schedules.test_api import make as make_over_api
from tests.schedules.test_api import patch
from tests.schedules.works import jobs, make, make_due, see


def told() -> list:
    """The events of schedules so far."""
    entries = run(queries.events_after("0-0", limit=1000)).entries
    found = [codec.decode_event(raw) for _, raw in entries]
    return [one for one in found if type(one).__name__.startswith("Schedule")]


def names() -> list[str]:
    return [one.__struct_config__.tag for one in told()]


def test_what_people_do_to_a_schedule_is_told(store):
    schedule = make(cron="0 9 * * *")
    run(schedules.change(schedule.schedule_id, {"is_enabled": False}))
    run(schedules.change(schedule.schedule_id, {"is_enabled": True}))
    run(schedules.change(schedule.schedule_id, {"name": "daily"}))
    schedules.remove(schedule.schedule_id)
    assert names() == [
        "schedule.created", "schedule.changed", "schedule.changed", "schedule.changed",
        "schedule.deleted",
    ]  # fmt: skip
    created, paused, resumed, renamed, deleted = told()
    assert (created.owner, created.cron, created.next_at) == ("ann", "0 9 * * *", schedule.next_at)
    assert (paused.enabled, paused.next_at, resumed.enabled) == (False, None, True)
    assert (renamed.title, deleted.title) == ("daily", "daily")
    assert {one.schedule_id for one in told()} == {schedule.schedule_id}


def test_a_change_that_changes_nothing_is_not_told(store):
    schedule = make()
    run(schedules.change(schedule.schedule_id, {"is_enabled": True}))
    assert names() == ["schedule.created"]


def test_each_time_is_told_once_with_its_job(store):
    schedule = make()
    due = make_due(schedule)
    occurrences.hand_in_due()
    occurrences.hand_in_due()
    (job,) = jobs()
    beside = occurrences.run_now(schedule.schedule_id, "k")
    occurrences.run_now(schedule.schedule_id, "k")
    first, second = told()[1:]
    assert isinstance(first, ScheduleHandedIn)
    assert (first.due, first.job_id, second.job_id) == (due, job.job_id, beside.job_id)


def test_who_notes_a_time_as_the_second_tells_nothing(store):
    schedule = make()
    due = make_due(schedule)
    occurrences.hand_in_due()
    occurrences._settle(schedule.schedule_id, due, see(schedule).last_job_id)
    occurrences._settle(schedule.schedule_id, due, "", "no room")
    assert names() == ["schedule.created", "schedule.handed_in"]


def test_a_time_without_a_job_is_told_with_its_reason(store):
    schedule = make()
    schedule_files.delete(schedule.schedule_id, schedule.source)
    due = make_due(schedule)
    occurrences.hand_in_due()
    skipped = told()[-1]
    assert isinstance(skipped, ScheduleSkipped)
    assert (skipped.due, skipped.error) == (due, "its file is not in storage any more")


def test_a_schedule_that_cannot_go_on_is_told_to_be_disabled(store):
    schedule = make()
    lost = {"time_zone": "Mars/Olympus"}
    due = make_due(schedule)
    raw = codec.encode_schedule(see(schedule)).replace(b'"UTC"', b'"Mars/Olympus"')
    store.commit({}, (ops.Set(keys.schedule(schedule.schedule_id), raw),))
    occurrences.hand_in_due()
    handed, changed = told()[-2:]
    assert (handed.due, changed.enabled, changed.time_zone) == (due, False, lost["time_zone"])


def test_the_topic_of_schedules_has_theirs_and_no_others(store):
    schedule = make()
    make_due(schedule)
    occurrences.hand_in_due()
    entries = [make_entry(*one) for one in run(queries.events_after("0-0", limit=1000)).entries]
    assert (check_topic("schedules"), scopes_of("schedules")) == (True, ("read",))
    assert len(select(entries, "schedules")) == 2
    assert b"schedule." not in b"".join(one.raw for one in select(entries, "fleet"))
    assert b'"job.created"' in b"".join(one.raw for one in select(entries, "fleet"))


def entries() -> list[tuple[str, str, str]]:
    return [(one.who, one.action, one.subject) for one in AuditEntry.objects.order_by("pk")]


@pytest.mark.django_db
def test_what_is_done_over_the_api_is_written_down(store, tokens):
    ann = Client(headers=tokens("submit", "read", name="ann"))
    name = make_over_api(ann).json()["schedule_id"]
    path = f"/api/v1/schedules/{name}"
    patch(ann, path, enabled=False)
    patch(ann, path, enabled=True)
    patch(ann, path, priority="high")
    ann.post(f"{path}/run")
    ann.delete(path)
    actions = ["create", "pause", "resume", "change", "run", "delete"]
    assert entries() == [("token:ann", f"schedule.{one}", name) for one in actions]
    created, *_, ran, deleted = AuditEntry.objects.order_by("pk")
    assert created.facts["cron"] == "30 6 * * MON-FRI"
    assert ran.facts == {"job": jobs()[0].job_id}
    assert deleted.facts["priority"] == 8
    change = AuditEntry.objects.get(action="schedule.change").facts
    assert (change["before"]["priority"], change["after"]["priority"]) == (5, 8)


@pytest.mark.django_db
def test_what_is_refused_is_not_written_down(store, tokens, staff: User):
    ann = Client(headers=tokens("submit", "read", name="ann"))
    ben = Client(headers=tokens("submit", "read", name="ben"))
    path = f"/api/v1/schedules/{make_over_api(ann).json()['schedule_id']}"
    before = entries()
    assert make_over_api(ann, cron="never").status_code == 400
    assert patch(ann, path, cron="never").status_code == 400
    assert ben.delete(path).status_code == 403
    assert patch(ben, path, enabled=False).status_code == 403
    assert entries() == before
    assert names() == ["schedule.created"]
