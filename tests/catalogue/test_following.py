"""The catalogue follows the engine, wherever a process dies and whatever happens to the engine."""

from __future__ import annotations

import threading

import pytest
from django.db import DatabaseError

from orchard import keys
from orchard.catalogue import following, process, rows
from orchard.catalogue.finding import is_complete
from orchard.catalogue.following import Follower
from orchard.catalogue.models import CataloguedJob, Reading
from orchard.readings import Overtaken
from orchard.repository import epoch_ms
from orchard.services import pipeline, records, run, submissions
from statecore.store import ops
from tests.catalogue.jobs import catch_up, listed, search, submit
from tests.services import orchards


def iter_once(*writes):
    yield ops.Commit({}, writes)


def test_an_empty_catalogue_reads_all_jobs_page_by_page(store, monkeypatch):
    monkeypatch.setattr(following, "PAGE", 2)
    ids = {submit(f"talk {n}.wav") for n in range(5)}
    follower = Follower()
    assert follower.step()
    assert follower.step()
    assert len(listed()) == 2
    assert not is_complete()
    catch_up(follower)
    assert listed() == ids
    assert is_complete()


def test_a_whole_reading_goes_on_where_another_process_died(store, monkeypatch):
    monkeypatch.setattr(following, "PAGE", 2)
    ids = {submit() for _ in range(6)}
    first = Follower()
    first.step()
    first.step()
    written = []
    put = rows.put
    monkeypatch.setattr(rows, "put", lambda jobs: (written.extend(jobs), put(written[-2:])))
    catch_up(Follower())
    assert len(written) == 4
    assert listed() == ids


def test_a_new_job_a_moved_one_and_a_deleted_one_are_followed(store):
    follower = Follower()
    catch_up(follower)
    kept, deleted = submit("会議.wav"), submit("other.wav")
    catch_up(follower)
    assert listed() == {kept, deleted}
    run(submissions.cancel(kept))
    run(submissions.remove(deleted))
    catch_up(follower)
    assert listed() == {kept}
    assert search("会議").ids == [kept]
    assert search("other").ids == []
    assert search(status="cancelled").ids == [kept]


def test_the_chunks_of_a_batch_are_one_change_of_a_row(store, monkeypatch):
    follower = Follower()
    job = orchards.processing(3)
    catch_up(follower)
    orchards.worker("w1")
    last = [orchards.complete(claimed) for claimed in orchards.claim("w1", 3)][-1]
    assert not last.repeated
    changes: list[int] = []
    put = rows.put
    monkeypatch.setattr(rows, "put", lambda jobs: (changes.append(len(jobs)), put(jobs)))
    catch_up(follower)
    assert changes == [1]
    now = run(submissions.get_record(job.job_id))
    row = CataloguedJob.objects.get()
    assert (row.status, row.updated_ms) == ("aggregating", epoch_ms(now.updated_at))
    assert row.duration_ms == 600_000


def test_events_that_change_nothing_in_the_list_are_not_written(store, django_assert_num_queries):
    follower = Follower()
    orchards.processing(3)
    catch_up(follower)
    orchards.worker("w1")
    orchards.claim("w1", 3)
    with django_assert_num_queries(0):
        catch_up(follower)


def test_what_was_not_kept_is_read_again_and_changes_nothing(store, monkeypatch):
    follower = Follower()
    catch_up(follower)
    before = Reading.objects.get()
    job_id = submit()

    def die(jobs):
        put(jobs)
        raise DatabaseError("the disk is full")

    put = rows.put
    monkeypatch.setattr(rows, "put", die)
    with pytest.raises(DatabaseError):
        follower.step()
    assert listed() == set()
    assert Reading.objects.get().cursor == before.cursor
    monkeypatch.setattr(rows, "put", put)
    catch_up(follower)
    assert listed() == {job_id}
    Reading.objects.update(cursor=before.cursor)
    catch_up(Follower())
    assert listed() == {job_id}
    assert search("talk").count == 1


def test_of_two_who_go_on_from_one_place_one_is_refused(store):
    first, second = Follower(), Follower()
    catch_up(first)
    assert second.reading.version == first.reading.version
    job_id = submit()
    catch_up(first)
    with pytest.raises(Overtaken):
        second.step()
    catch_up(second)
    assert listed() == {job_id}


def test_after_a_reset_all_is_read_again_and_rows_of_no_job_go(store):
    follower = Follower()
    gone = submit("gone.wav")
    catch_up(follower)
    assert listed() == {gone}
    store.run(iter_once(ops.Delete((keys.EVENTS, keys.JOBS, keys.job(gone)))))
    back = submit("back.wav")
    catch_up(follower)
    assert listed() == {back}
    assert search("gone").count == 0


def test_a_job_removed_while_all_are_read_does_not_stay(store, monkeypatch):
    monkeypatch.setattr(following, "PAGE", 1)
    ids = [submit() for _ in range(3)]
    follower = Follower()
    follower.step()
    follower.step()
    first = next(iter(listed()))
    run(submissions.remove(first))
    late = submit("late.wav")
    catch_up(follower)
    assert listed() == {*ids, late} - {first}


def test_a_record_that_cannot_be_read_stops_nothing(store):
    follower = Follower()
    catch_up(follower)
    broken, whole = submit(), submit()
    store.run(iter_once(ops.Set(keys.job(broken), b"{half a rec")))
    catch_up(follower)
    assert listed() == {whole}
    assert [view.job.job_id for view in run(records.read_views([broken, whole]))] == [whole]


def test_one_process_leads_and_each_database_has_its_own(store):
    assert run(records.lead_catalogue("here", "p1"))
    assert run(records.lead_catalogue("here", "p1"))
    assert not run(records.lead_catalogue("here", "p2"))
    assert run(records.lead_catalogue("there", "p2"))


def test_who_does_not_lead_reads_nothing(store):
    submit()
    follower = Follower()
    assert run(records.lead_catalogue(follower.reading.identity, "somebody else"))
    process.catch_up(follower, "p1", threading.Event())
    assert listed() == set()
    process.catch_up(follower, "somebody else", threading.Event())
    assert len(listed()) == 1


@pytest.mark.parametrize("store", ["redis"], indirect=True)
@pytest.mark.django_db(transaction=True)
def test_a_job_is_found_within_a_second_of_its_creation(store):
    stopping = threading.Event()
    thread = process.start(stopping, "p1")
    try:
        submit("first.wav")
        await_found("first", 10)
        submit("second.wav")
        await_found("second", 1)
        assert run(pipeline.claim_stage("p"))
    finally:
        stopping.set()
        thread.join()


def await_found(text: str, seconds: float) -> None:
    rest = threading.Event()
    for _ in range(round(seconds / 0.02)):
        if search(text).ids:
            return
        rest.wait(0.02)
    raise AssertionError(f"{text} was not found in {seconds} s")
