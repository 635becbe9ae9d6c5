"""Exchanges: what a worker says, and what it gets, in one call."""

from __future__ import annotations

import pytest
import redis

from orchard.domain.errors import StaleToken, UnknownJob, UnknownWorker
from orchard.domain.lifecycle import ChunkStatus, JobStatus
from orchard.domain.timeline import ChunkResult
from orchard.services import exchanges, fleet, queries, reports, run
from orchard.services.said import Accepted, Report, Setback, Sign
from statecore.store.redis import RedisStore
from tests.services.orchards import claim, complete, name_of, processing, worker

pytestmark = pytest.mark.usefixtures("store")

RESULT = ChunkResult(text="words", time_ms=900, segments=())


def done(held, token: int = 0) -> Report:
    """The result of a chunk, with its own token or another one."""
    token = token or held.chunk.token
    return Report(chunk_id=name_of(held), worker_id="w1", token=token, result=RESULT)


def exchange(*said, count: int = 0, name: str = "w1") -> exchanges.Exchanged:
    return run(exchanges.exchange(name, said, max_chunks=count))


def counted(job) -> int:
    return run(queries.get_job(job.job_id)).job.completed_chunks


def test_results_go_in_and_the_next_chunks_come_out():
    job = processing(5)
    worker()
    held = claim(count=2)
    answer = exchange(*map(done, held), count=2)
    assert [one.repeated for one in answer.outcomes] == [False, False]
    assert [one.chunk.index for one in answer.claimed] == [2, 3]
    assert counted(job) == 2
    noted = run(queries.get_worker("w1"))
    assert noted == answer.worker
    assert set(noted.pending_chunks) == set(map(name_of, answer.claimed))
    assert (noted.completed, len(noted.performance_history)) == (2, 2)


def test_an_exchange_sent_again_is_answered_like_the_first_time_and_counts_once():
    job = processing(3)
    worker()
    held = claim(count=2)
    exchange(*map(done, held))
    again = exchange(*map(done, held))
    assert [one.repeated for one in again.outcomes] == [True, True]
    assert (counted(job), run(queries.get_worker("w1")).completed) == (2, 2)


def test_what_is_refused_does_not_spoil_the_rest():
    job = processing(4)
    worker()
    held = claim(count=3)
    stranger = Report(chunk_id="0123_chunk_7", worker_id="w1", token=1, result=RESULT)
    answer = exchange(done(held[0]), done(held[1], token=99), stranger, done(held[2]), count=1)
    kinds = [type(one) for one in answer.outcomes]
    assert kinds == [Accepted, StaleToken, UnknownJob, Accepted]
    assert (counted(job), len(answer.claimed)) == (2, 1)


def test_results_setbacks_and_progress_are_taken_together():
    job = processing(4)
    worker()
    first, second, third, fourth = claim(count=4)
    answer = exchange(
        done(first),
        Setback(chunk_id=name_of(second), worker_id="w1", token=1, error="broken", retry=False),
        Sign(chunk_id=name_of(third), worker_id="w1", token=1, share=0.5),
        Sign(chunk_id=name_of(fourth), worker_id="w1", token=1),
    )
    states = [one.chunk.status for one in answer.outcomes]
    assert states == [ChunkStatus.COMPLETED, ChunkStatus.FAILED] + 2 * [ChunkStatus.RUNNING]
    view = run(queries.get_job(job.job_id))
    assert (view.job.completed_chunks, view.job.failed_chunks) == (1, 1)
    assert view.chunks[2].progress == 0.5
    assert set(answer.worker.pending_chunks) == {name_of(third), name_of(fourth)}


@pytest.mark.parametrize("store", ["memory"], indirect=True)
def test_a_lease_that_is_named_lasts_longer(clock):
    processing(1)
    worker()
    (held,) = claim()
    clock.advance(20)
    exchange(Sign(chunk_id=name_of(held), worker_id="w1", token=1))
    clock.advance(20)
    worker("w2")
    assert claim("w2") == []
    clock.advance(20)
    assert len(claim("w2")) == 1
    refused = exchange(Sign(chunk_id=name_of(held), worker_id="w1", token=1)).outcomes
    assert [(one.code, one.facts["holder"]) for one in refused] == [("stale_token", "w2")]


def test_the_last_results_end_the_stage():
    job = processing(2)
    worker()
    exchange(*map(done, claim(count=2)))
    assert run(queries.get_job(job.job_id)).job.status is JobStatus.AGGREGATING


def test_one_chunk_said_to_be_done_and_broken_at_once_counts_once():
    job = processing(2)
    worker()
    (held,) = claim()
    broken = Setback(chunk_id=name_of(held), worker_id="w1", token=1, error="x", retry=False)
    progress = Sign(chunk_id=name_of(held), worker_id="w1", token=1, share=0.9)
    first, second, third = exchange(done(held), broken, progress).outcomes
    assert (first.repeated, second.repeated, third.code) == (False, True, "stale_token")
    view = run(queries.get_job(job.job_id))
    assert (view.job.completed_chunks, view.job.failed_chunks) == (1, 0)


@pytest.mark.parametrize("direct", [fleet.drain, fleet.pause])
def test_a_worker_that_gets_no_more_reports_all_the_same(direct):
    job = processing(3)
    worker()
    (held,) = claim()
    run(direct("w1"))
    answer = exchange(done(held), count=2)
    assert (answer.claimed, counted(job)) == ([], 1)
    assert answer.worker.draining or answer.worker.paused


@pytest.mark.parametrize("store", ["memory"], indirect=True)
def test_an_exchange_of_nothing_is_a_sign_of_life(clock):
    worker()
    before = run(queries.get_worker("w1")).last_updated
    clock.advance(7)
    assert (exchange().worker.last_updated - before).total_seconds() == 7


def test_a_worker_that_is_not_in_the_fleet_changes_nothing():
    job = processing(2)
    worker()
    (held,) = claim()
    run(fleet.remove("w1"))
    with pytest.raises(UnknownWorker):
        exchange(done(held), count=1)
    assert counted(job) == 0


@pytest.mark.parametrize("store", ["redis"], indirect=True)
def test_the_number_of_chunks_does_not_change_the_number_of_round_trips(store):
    asked = {}
    for size in (2, 20):
        processing(3 * size)
        worker()
        held = claim(count=size)
        before = _asked(store)
        exchange(*map(done, held), count=size)
        asked[size] = _asked(store) - before
        for one in claim(count=100):
            complete(one)
    # the results with the worker's record, and beside it the take; the start, with it again
    assert asked == {2: 3, 20: 3}


@pytest.mark.parametrize("store", ["redis"], indirect=True)
def test_a_single_result_takes_one_round_trip(store):
    processing(2)
    worker()
    (held,) = claim()
    before = _asked(store)
    run(reports.complete(name_of(held), "w1", held.chunk.token, RESULT))
    assert _asked(store) - before == 1


def _asked(store: RedisStore) -> int:
    with redis.Redis.from_url(store.url) as client:
        stats = client.info("commandstats")
    scripts = (stats.get(f"cmdstat_{name}", {}) for name in ("eval", "evalsha"))
    return sum(one.get("calls", 0) - one.get("failed_calls", 0) for one in scripts)
