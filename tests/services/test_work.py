"""From waiting chunk to counted result, over real stores."""

import threading

import pytest

from orchard import keys
from orchard.domain.errors import StaleToken, UnknownJob, UnknownWorker, WorkerUnavailable
from orchard.domain.lifecycle import ChunkStatus, JobStatus
from orchard.domain.timeline import ChunkResult
from orchard.services import cleanup, counts, fleet, pipeline, queries, reports, run, submissions
from orchard.services.reports import Report
from statecore.store import ops
from tests.services.orchards import claim, complete, name_of, processing, submit, worker

pytestmark = pytest.mark.usefixtures("store")


def places(store, name):
    """Whether a chunk's name is in the queue, and whether it is in the leases."""
    queued, leased = store.read(
        ops.Score(keys.CHUNK_QUEUE, name), ops.Score(keys.CHUNK_LEASES, name)
    )
    return queued is not None, leased is not None


def test_chunks_go_out_longest_first_and_come_back_counted(store):
    job = processing(3)
    worker()
    held = claim(count=3)
    assert [one.chunk.index for one in held] == [0, 1, 2]
    for one in held:
        assert places(store, name_of(one)) == (False, True)
        assert not complete(one).repeated
        assert places(store, name_of(one)) == (False, False)
    done = run(queries.get_job(job.job_id)).job
    assert (done.status, done.completed_chunks) == (JobStatus.AGGREGATING, 3)


def test_a_repeated_report_is_answered_like_the_first_and_counts_once():
    job = processing(2)
    worker()
    (held,) = claim()
    assert complete(held).repeated is False
    assert complete(held).repeated is True
    assert run(queries.get_job(job.job_id)).job.completed_chunks == 1


def test_a_batch_takes_what_is_right_and_refuses_what_is_not():
    job = processing(3)
    worker()
    held = claim(count=3)
    result = ChunkResult(text="x", time_ms=1, segments=())
    reports_ = [
        Report(chunk_id=name_of(one), worker_id="w1", token=one.chunk.token + i % 2, result=result)
        for i, one in enumerate(held)
    ]
    outcomes = run(reports.complete_many(reports_))
    assert [isinstance(outcome, StaleToken) for outcome in outcomes] == [False, True, False]
    assert run(queries.get_job(job.job_id)).job.completed_chunks == 2


def test_one_report_twice_in_a_batch_counts_once():
    job = processing(2)
    worker()
    (held,) = claim()
    result = ChunkResult(text="x", time_ms=1, segments=())
    report = Report(chunk_id=name_of(held), worker_id="w1", token=held.chunk.token, result=result)
    first, second = run(reports.complete_many([report, report]))
    assert (first.repeated, second.repeated) == (False, True)
    assert run(queries.get_job(job.job_id)).job.completed_chunks == 1


def test_a_failed_chunk_rests_and_is_not_given_out_before(store):
    processing(1)
    worker()
    (held,) = claim()
    chunk = run(reports.fail(name_of(held), "w1", held.chunk.token, "boom"))
    assert chunk.status is ChunkStatus.WAITING
    assert places(store, name_of(held)) == (False, True)
    assert claim() == []


def test_a_handed_back_chunk_is_there_for_the_next_worker_at_once():
    processing(1)
    worker("w1")
    worker("w2")
    (held,) = claim("w1")
    run(reports.fail(name_of(held), "w1", held.chunk.token, "bye", handback=True))
    (again,) = claim("w2")
    assert (again.chunk.attempts, again.chunk.token) == (1, 2)
    with pytest.raises(StaleToken):
        complete(held)


def test_a_worker_that_leaves_gives_its_chunks_back_at_once():
    processing(2)
    worker("w1")
    worker("w2")
    claim("w1", 2)
    run(fleet.remove("w1"))
    assert len(claim("w2", 2)) == 2
    with pytest.raises(UnknownWorker):
        claim("w1")


def test_a_drained_worker_gets_nothing_more_and_may_still_report():
    processing(2)
    worker()
    (held,) = claim()
    run(fleet.drain("w1"))
    with pytest.raises(WorkerUnavailable):
        claim()
    assert complete(held).repeated is False
    run(fleet.resume("w1"))
    assert len(claim()) == 1


def test_a_heartbeat_extends_what_the_worker_holds_and_names_what_it_lost():
    processing(2)
    worker()
    one, other = claim(count=2)
    run(reports.fail(name_of(other), "w1", other.chunk.token, "x", handback=True))
    leases = [(name_of(one), one.chunk.token), (name_of(other), other.chunk.token), ("x", 1)]
    beat = run(fleet.heartbeat("w1", leases))
    assert (beat.extended, beat.lost) == ((name_of(one),), (name_of(other), "x"))
    assert beat.worker.pending_chunks == (name_of(one),)


def test_cancelling_clears_the_queue_and_refuses_what_comes_late(store):
    job = processing(3)
    worker()
    held = claim(count=1)[0]
    run(submissions.cancel(job.job_id))
    assert run(counts.get_load()).waiting_chunks == 0
    assert claim() == []
    with pytest.raises(StaleToken):
        complete(held)
    ended = run(queries.get_job(job.job_id))
    assert (ended.job.status, len(ended.chunks)) == (JobStatus.CANCELLED, 3)


def test_a_deleted_job_leaves_nothing_behind(store):
    job = processing(3)
    worker()
    held = claim(count=1)[0]
    run(submissions.remove(job.job_id))
    assert run(counts.get_stats()).jobs.total == 0
    assert run(queries.list_jobs()).jobs == []
    assert store.read(ops.WholeHash(keys.chunks(job.job_id))) == [{}]
    with pytest.raises(UnknownJob):
        complete(held)


def test_a_job_deleted_by_hand_is_dropped_when_met(store):
    job = processing(2)
    worker()
    store.commit({}, [ops.Delete((keys.job(job.job_id),))])
    assert claim(count=5) == []
    assert run(queries.list_jobs()).jobs == []
    assert run(counts.get_stats()).jobs.total == 0
    assert run(counts.get_load()).waiting_chunks == 0


def test_the_same_idempotency_key_is_the_same_job():
    first = submit(idempotency_key="k")
    assert submit(idempotency_key="k").job_id == first.job_id
    assert submit(idempotency_key="k", owner="bob").job_id != first.job_id
    assert run(counts.get_stats()).jobs.total == 2


def test_a_stage_whose_process_died_goes_to_the_next_when_the_lease_is_over():
    submit()
    first = run(pipeline.claim_stage("p1"))
    assert run(pipeline.claim_stage("p2")) is None
    run(pipeline.hand_back(first.job_id, first.stage.token))
    second = run(pipeline.claim_stage("p2"))
    assert second.stage.token == first.stage.token + 1
    with pytest.raises(StaleToken):
        run(pipeline.finish_purifying(first.job_id, first.stage.token, 1))


def test_pages_follow_each_other_without_gaps_or_repeats():
    ids = [submit().job_id for _ in range(7)]
    seen, cursor = [], ""
    while True:
        page = run(queries.list_jobs(limit=3, cursor=cursor))
        seen += [view.job.job_id for view in page.jobs]
        cursor = page.next
        if cursor is None:
            break
    assert sorted(seen) == sorted(ids)
    assert page.count == 7


def test_only_one_process_clears_up_at_a_time():
    assert run(cleanup.lead("a")) is True
    assert run(cleanup.lead("b")) is False
    assert run(cleanup.lead("a")) is True


def test_what_is_done_can_be_read_while_the_rest_runs():
    job = processing(2)
    worker()
    first, second = claim(count=2)
    complete(first, "hello")
    view = run(queries.get_transcript(job.job_id))
    assert (view.partial, view.transcript.text) == (True, "hello")
    complete(second, "world")
    assert run(queries.get_transcript(job.job_id)).transcript.text == "hello world"


def test_four_hundred_completions_of_one_job_from_eight_threads_are_all_counted():
    job = processing(400)
    worker()
    held = [*claim(count=100), *claim(count=100), *claim(count=100), *claim(count=100)]
    faults = []

    def report(mine):
        try:
            for one in mine:
                complete(one)
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=report, args=(held[i::8],)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    done = run(queries.get_job(job.job_id)).job
    assert (done.completed_chunks, done.status) == (400, JobStatus.AGGREGATING)


def test_an_agent_that_begins_anew_holds_nothing_and_what_it_had_goes_to_others():
    processing(chunks=2)
    worker("w1")
    (held,) = claim("w1")
    again = run(fleet.register(name="w1"))
    assert (again.pending_chunks, again.status) == ((), "online")
    job = run(queries.get_job(held.job.job_id))
    (back,) = [one for one in job.chunks if one.index == held.chunk.index]
    assert (back.status, back.attempts) == ("waiting", 1)


def test_what_another_has_taken_over_stays_with_it_when_the_first_begins_anew():
    processing(chunks=1)
    worker("w1")
    worker("w2")
    (lost,) = claim("w1")
    run(reports.requeue(name_of(lost), "by hand"))
    (held,) = claim("w2")
    run(fleet.register(name="w1"))
    assert complete(held).repeated is False


@pytest.mark.parametrize("what", ["job", "chunk"])
def test_a_record_that_others_have_spoilt_holds_up_nobody(store, what):
    spoilt, sound = processing(1).job_id, processing(1).job_id
    broken = (
        ops.Set(keys.job(spoilt), b"{not json")
        if what == "job"
        else ops.HashSet(keys.chunks(spoilt), {"0": b"{not json"})
    )
    store.commit({}, [broken])
    worker()
    held = [*claim(count=2), *claim(count=2)]
    assert [one.job.job_id for one in held] == [sound]
