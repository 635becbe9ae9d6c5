"""What is due is handed in: once, whoever does it, and whatever goes wrong."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchard import keys
from orchard.conf import get_conf
from orchard.domain.errors import InvalidInput, QuotaExceeded, TransitionRefused
from orchard.domain.orders import Order
from orchard.domain.schedules import UnknownSchedule, key_of
from orchard.ports import recordings
from orchard.ports.resealing import reseal_files
from orchard.services import engine, limits, occurrences, pipeline_process, run, schedules
from orchard.services.doctor.schedules import ScheduleExaminer
from statecore.sealing.key_ring import make_key
from statecore.store import ops
from tests.schedules.works import jobs, make, make_due, see
from tests.servers import until


@pytest.fixture
def still(memory_store):
    """A store whose clock the test moves."""
    before = engine.use(memory_store)
    yield memory_store
    engine.use(before)


def test_what_is_due_is_handed_in_as_it_was_asked_for(store):
    schedule = make(order=Order(job_type="text", priority=8, requires=("gpu",)))
    assert (occurrences.hand_in_due(), jobs()) == (0, [])
    due = make_due(schedule)
    assert occurrences.hand_in_due() == 1
    (job,) = jobs()
    assert (job.filename, job.owner, job.came_by) == ("a.txt", "ann", "schedule")
    assert (job.job_type, job.priority, job.requires) == ("text", 8, ("gpu",))
    assert recordings.read(job.source) == b"one\ntwo"
    after = see(schedule)
    assert (after.last_at, after.last_job_id, after.last_error) == (due, job.job_id, "")
    assert after.next_at
    assert after.next_at > store.now()
    assert occurrences.hand_in_due() == 0
    assert recordings.read(schedule.source) == b"one\ntwo"


def test_a_recording_is_handed_in_as_well(store):
    schedule = make(b"RIFF....WAVE", "talk.wav", order=Order(), language="en", use_purifier=False)
    make_due(schedule)
    occurrences.hand_in_due()
    (job,) = jobs()
    assert (job.job_type, job.language, job.filename) == ("audio", "en", "talk.wav")


def test_each_time_comes_as_the_clock_goes_and_what_was_missed_once(still, clock):
    schedule = make(cron="0 9 * * *", time_zone="Europe/Berlin")
    assert schedule.next_at == datetime(2025, 6, 24, 7, tzinfo=UTC)
    clock.advance(19 * 3600)
    occurrences.hand_in_due()
    assert len(jobs()) == 1
    clock.advance(5 * 86_400)  # everything was off
    occurrences.hand_in_due()
    occurrences.hand_in_due()
    assert len(jobs()) == 2
    assert see(schedule).last_at == datetime(2025, 6, 25, 7, tzinfo=UTC)
    assert see(schedule).next_at == datetime(2025, 6, 30, 7, tzinfo=UTC)


def test_two_leaders_at_once_make_one_job_of_each_time(store):
    made = [make(name=f"s{number}") for number in range(3)]
    for schedule in made:
        make_due(schedule)
    begin = threading.Barrier(2)

    def lead(_: int) -> None:
        begin.wait(60)
        occurrences.hand_in_due()

    with ThreadPoolExecutor(2) as leaders:
        list(leaders.map(lead, range(2)))
    assert sorted(see(one).last_job_id for one in made) == sorted(job.job_id for job in jobs())
    assert len(jobs()) == 3
    folders = set(recordings.list_jobs())
    assert folders == {job.job_id for job in jobs()}


def test_who_was_killed_after_the_job_was_made_is_followed_by_who_notes_it(store):
    schedule = make()
    due = make_due(schedule)
    job = occurrences._hand_in(see(schedule), key_of(schedule.schedule_id, due))
    assert see(schedule).last_job_id == ""
    occurrences.hand_in_due()
    assert [one.job_id for one in jobs()] == [job.job_id]
    assert see(schedule).last_job_id == job.job_id


def test_what_cannot_be_handed_in_says_why_and_goes_on(store, monkeypatch):
    lost, full, fine = make(name="lost"), make(name="full", owner="ben"), make(name="fine")
    recordings.delete_name(lost.source)
    monkeypatch.setenv("ORCHARD_QUOTA_JOBS", "1")
    for cached in (get_conf, limits.keeping):
        cached.cache_clear()
    try:
        occurrences.run_now(full.schedule_id)
        for schedule in (lost, full, fine):
            make_due(schedule)
        with pytest.raises(QuotaExceeded):
            occurrences.run_now(full.schedule_id)
        occurrences.hand_in_due()
    finally:
        monkeypatch.undo()
        for cached in (get_conf, limits.keeping):
            cached.cache_clear()
    assert see(lost).last_error == "its file is not in storage any more"
    assert see(fine).last_job_id
    for schedule in (lost, full, fine):
        after = see(schedule)
        assert after.next_at
        assert after.next_at > store.now()


def test_a_quota_that_is_used_up_is_told(store, monkeypatch):
    schedule = make()
    monkeypatch.setenv("ORCHARD_QUOTA_JOBS", "1")
    for cached in (get_conf, limits.keeping):
        cached.cache_clear()
    try:
        for _ in range(2):
            make_due(schedule, minutes=2 - len(jobs()))
            occurrences.hand_in_due()
    finally:
        monkeypatch.undo()
        for cached in (get_conf, limits.keeping):
            cached.cache_clear()
    after = see(schedule)
    assert (after.last_job_id, "1 jobs that have not ended" in after.last_error) == ("", True)
    assert len(jobs()) == 1


def test_files_are_sealed_and_one_that_was_altered_is_told(still, seal, settings):
    first, second = make_key("k8"), make_key("k9")
    seal(first)
    fine, altered = make(b"orange tree"), make(b"orange tree", name="altered")
    paths = [Path(settings.MEDIA_ROOT) / one.source for one in (fine, altered)]
    assert all(b"orange" not in path.read_bytes() for path in paths)
    seal(second, first)
    assert reseal_files(second, lambda done: None).sealed == 2
    seal(second)
    paths[1].write_bytes(paths[1].read_bytes()[:-1] + b"x")
    for schedule in (fine, altered):
        make_due(schedule)
    occurrences.hand_in_due()
    (job,) = jobs()
    assert recordings.read(job.source) == b"orange tree"
    assert see(fine).last_job_id == job.job_id
    assert "does not open" in see(altered).last_error


def test_a_disabled_schedule_waits_until_it_is_enabled(store):
    schedule = make()
    make_due(schedule)
    run(schedules.change(schedule.schedule_id, {"is_enabled": False}))
    assert (occurrences.hand_in_due(), see(schedule).next_at) == (0, None)
    assert [one.schedule_id for one in run(schedules.list_all())] == [schedule.schedule_id]
    run(schedules.change(schedule.schedule_id, {"is_enabled": True}))
    assert see(schedule).next_at > store.now()


def test_one_may_be_handed_in_beside_its_times(store):
    schedule = make()
    first = occurrences.run_now(schedule.schedule_id, "k")
    assert occurrences.run_now(schedule.schedule_id, "k").job_id == first.job_id
    assert occurrences.run_now(schedule.schedule_id).job_id != first.job_id
    assert see(schedule).next_at == schedule.next_at


def test_removed_it_leaves_its_jobs_and_no_file(store):
    schedule = make()
    occurrences.run_now(schedule.schedule_id)
    schedules.remove(schedule.schedule_id)
    with pytest.raises(UnknownSchedule):
        see(schedule)
    assert len(jobs()) == 1
    assert not recordings.exists(schedule.source)
    assert run(schedules.list_all()) == []


def test_the_files_of_schedules_that_are_gone_are_deleted_when_they_are_old(store):
    kept, gone = make(), make()
    store.commit({}, schedules.dropping(gone.schedule_id))
    assert schedules.delete_orphaned_files() == []
    assert schedules.delete_orphaned_files(0) == [gone.source]
    assert recordings.exists(kept.source)


def test_what_is_no_batch_is_refused_before_it_is_kept(store):
    with pytest.raises(InvalidInput, match="there is nothing in it"):
        make(b"\n\n")
    with pytest.raises(InvalidInput, match="empty"):
        make(b"")
    assert run(schedules.list_all()) == []


def test_there_are_not_more_than_may_be(store, monkeypatch):
    monkeypatch.setattr(schedules, "MOST", 1)
    make()
    with pytest.raises(TransitionRefused, match="allowed: 1"):
        make()


def test_what_stands_for_nothing_holds_nobody_up(store):
    fine, damaged = make(), make(name="damaged")
    make_due(fine)
    make_due(damaged, 2)
    key = keys.schedule(damaged.schedule_id)
    store.commit({}, (ops.Set(key, b"{}"), ops.SortedAdd(keys.SCHEDULES, {"0" * 16: 1.0})))
    occurrences.hand_in_due()
    assert see(fine).last_job_id
    assert occurrences.hand_in_due() == 0
    assert store.read(ops.Key(key)) == [b"{}"]


def test_the_doctor_puts_schedules_where_they_belong(store):
    doctor, schedule = ScheduleExaminer(), make()
    name = schedule.schedule_id
    assert doctor.look(store, [name]) == []
    store.commit({}, (ops.SortedRemove(keys.SCHEDULES, (name,)),))
    store.commit({}, (ops.SortedAdd(keys.SCHEDULES, {"0" * 16: 1.0}),))
    assert [one.code for one in doctor.mend(store, name)] == ["schedule-misplaced"]
    assert [one.code for one in doctor.mend(store, "0" * 16)] == ["schedule-gone"]
    assert [one.schedule_id for one in run(schedules.list_all())] == [name]
    store.commit({}, (ops.Set(keys.schedule(name), b"[]"),))
    assert [one.code for one in doctor.look(store, [name])] == ["schedule-unreadable"]
    assert doctor.mend(store, name) == []


def test_a_pipeline_process_hands_in_what_is_due(memory_store):
    before = engine.use(memory_store)
    stopping = threading.Event()
    schedule = make()
    make_due(schedule)
    process = threading.Thread(
        target=pipeline_process.work, args=(stopping,), kwargs={"holder": "p"}
    )
    process.start()
    try:
        until(lambda: see(schedule).last_job_id)
    finally:
        stopping.set()
        process.join(60)
        engine.use(before)
    assert not process.is_alive()


def test_a_change_waits_for_the_next_time_of_what_it_is_now(still):
    schedule = make(cron="0 * * * *")
    changed = run(schedules.change(schedule.schedule_id, {"cron": "15 12 * * *"}))
    assert changed.next_at == datetime(2025, 6, 23, 12, 15, tzinfo=UTC)
    with pytest.raises(InvalidInput):
        run(schedules.change(schedule.schedule_id, {"cron": "never"}))
    assert see(schedule) == changed
    assert schedule.next_at == datetime(2025, 6, 23, 13, tzinfo=UTC)
