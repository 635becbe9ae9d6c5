"""Assignment through the services: jobs in their turn, who is slow, and chunks with two workers."""

from __future__ import annotations

import pytest

from orchard.domain.chunks import chunk_id
from orchard.domain.errors import StaleToken
from orchard.domain.lifecycle import ChunkStatus, JobStatus
from orchard.domain.timeline import ChunkResult, Span
from orchard.services import (
    claims,
    cleanup,
    fleet,
    outlooks,
    pipeline,
    queries,
    reports,
    run,
    submissions,
)
from orchard.services.claims import Claimed
from orchard.services.engine import get_engine
from tests.faults.evidence import find_broken_invariants
from tests.services.orchards import claim, name_of, processing, submit, worker

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture(autouse=True)
def _always_a_choice(monkeypatch):
    """Every claim looks, however little time has passed since the last one."""
    monkeypatch.setattr(outlooks, "PLAIN_S", 0.0)
    monkeypatch.setattr(claims, "plain_times", outlooks.PlainTimes())  # nothing of other tests


def done(held: Claimed, time_ms: int = 500):
    result = ChunkResult(text=f"by {held.chunk.worker_id}", time_ms=time_ms, segments=())
    return run(reports.complete(name_of(held), held.chunk.worker_id, held.chunk.token, result))


def measured(**times_ms: int) -> None:
    """Workers that have shown how long they take over a minute of sound."""
    processing(len(times_ms))
    for name, time_ms in times_ms.items():
        worker(name)
        (held,) = claim(name)
        done(held, time_ms)


def job_of(seconds: int, chunks: int = 1) -> str:
    """A job whose recording has so much speech, in chunks of the same length."""
    job_id = submit(use_purifier=False).job_id
    stage = run(pipeline.claim_stage("p1"))
    while stage and stage.job_id != job_id:
        stage = run(pipeline.claim_stage("p1"))
    assert stage
    spans = [
        Span(start_ms=i * seconds * 1000 // chunks, end_ms=(i + 1) * seconds * 1000 // chunks)
        for i in range(chunks)
    ]
    run(pipeline.finish_splitting(job_id, stage.stage.token, spans, seconds * 1000))
    return job_id


def chunk_of(job_id: str, index: int = 0):
    return run(queries.get_job(job_id)).chunks[index]


@pytest.fixture
def shared() -> tuple[Claimed, Claimed]:
    """One chunk that a slow worker has, and then a fast one, too."""
    measured(slow=600_000, fast=600)
    job_of(60)
    (first,) = claim("slow")
    (second,) = claim("fast")
    assert name_of(first) == name_of(second)
    return first, second


@pytest.mark.parametrize("store", ["memory", "redis"], indirect=True)
def test_a_short_recording_does_not_wait_for_a_long_one():
    long, short = job_of(4 * 3600, chunks=4), job_of(60)
    worker()
    (first,) = claim()
    assert first.job.job_id == short
    assert {one.job.job_id for one in claim(count=9)} == {long}


@pytest.mark.parametrize("store", ["memory"], indirect=True)
def test_of_two_alike_the_first_one_is_done_first(clock):
    worker()
    older = processing(3)
    clock.advance(1)
    processing(3)
    first = [one.job.job_id for one in claim(count=3)]
    turns = {chunk.turn for chunk in run(queries.get_job(older.job_id)).chunks}
    assert len(turns) == 1
    assert set(first) == {older.job_id}  # it is finished before another is begun


def test_a_slow_worker_is_left_without_what_a_fast_one_finishes_earlier():
    measured(slow=600_000, fast=600)
    job_of(120, chunks=2)
    (held,) = claim("fast")
    assert claim("slow") == []
    done(held)
    assert [one.is_duplicate for one in claim("slow")] == [False]  # nobody else is at work now


def test_a_fast_worker_gets_a_copy_of_what_a_slow_one_has(shared):
    first, second = shared
    assert (first.is_duplicate, second.is_duplicate) == (False, True)
    assert second.chunk.worker_id == "fast"
    assert second.chunk.token > first.chunk.token
    assert claim("fast") == claim("slow") == []
    assert find_broken_invariants(get_engine(), files=False, pause_s=0) == []


@pytest.mark.parametrize("winner", [0, 1])
def test_the_first_result_counts_and_the_late_one_changes_nothing(shared, winner):
    counting, late = shared[winner], shared[1 - winner]
    job_id = counting.job.job_id
    assert not done(counting).repeated
    before = run(queries.get_job(job_id))
    assert before.job.status is JobStatus.AGGREGATING
    assert before.job.completed_chunks == 1
    with pytest.raises(StaleToken) as refusal:
        done(late)
    assert refusal.value.facts["holder"] == counting.chunk.worker_id
    assert done(counting).repeated
    after = run(queries.get_job(job_id))
    assert after == before
    (chunk,) = after.chunks
    assert (chunk.worker_id, chunk.token) == (counting.chunk.worker_id, counting.chunk.token)
    assert [one.worker_id for one in chunk.superseded] == [late.chunk.worker_id]
    assert all(run(queries.get_worker(one)).pending_chunks == () for one in ("slow", "fast"))
    assert find_broken_invariants(get_engine(), files=False, pause_s=0) == []


def test_each_of_two_learns_that_the_other_was_first(shared):
    first, second = shared
    done(second)
    beat = run(fleet.heartbeat("slow", [(name_of(first), first.chunk.token)]))
    assert beat.lost == (name_of(first),)
    assert beat.worker.pending_chunks == ()


@pytest.mark.parametrize("leave", [
    lambda name: run(fleet.remove(name)),
    lambda name: run(fleet.register(name=name)),
    lambda name: None,
])  # fmt: skip
@pytest.mark.parametrize("left", [0, 1])
def test_the_death_of_either_loses_nothing(shared, leave, left):
    gone, other = shared[1 - left], shared[left]
    leave(gone.chunk.worker_id)
    run(cleanup.expire_leases())
    running = chunk_of(other.job.job_id)
    assert running.status is ChunkStatus.RUNNING
    assert running.token_of(other.chunk.worker_id) == other.chunk.token
    assert done(other).chunk.worker_id == other.chunk.worker_id
    assert run(queries.get_job(other.job.job_id)).job.completed_chunks == 1


def test_a_failure_of_one_leaves_the_chunk_with_the_other(shared):
    first, second = shared
    left = run(reports.fail(name_of(second), "fast", second.chunk.token, "boom"))
    assert (left.status, left.worker_id, left.second) == (ChunkStatus.RUNNING, "slow", None)
    assert [one.worker_id for one in left.errors] == ["fast"]
    assert not done(first).repeated


@pytest.mark.parametrize("store", ["memory", "partitioned"], indirect=True)
def test_either_keeps_the_lease_and_without_both_it_runs_out(shared, clock):
    first, second = shared
    for _ in range(3):
        clock.advance(20)
        run(fleet.heartbeat("fast", [(name_of(second), second.chunk.token)]))
        run(cleanup.expire_leases())
    assert chunk_of(first.job.job_id).token_of("slow") == first.chunk.token
    clock.advance(31)
    run(cleanup.expire_leases())
    chunk = chunk_of(first.job.job_id)
    assert (chunk.status, chunk.attempts, len(chunk.errors)) == (ChunkStatus.WAITING, 2, 2)
    worker("third")
    (again,) = claim("third")
    assert again.chunk.token > second.chunk.token
    with pytest.raises(StaleToken):
        done(second)


@pytest.mark.parametrize("store", ["memory", "partitioned"], indirect=True)
def test_what_takes_too_long_is_copied_ahead_of_new_work(clock):
    measured(stuck=60_000, quick=30_000)
    job_id = job_of(60)
    (held,) = claim("stuck")
    job_of(240, chunks=4)
    for _ in range(10):
        clock.advance(20)
        run(fleet.heartbeat("stuck", [(name_of(held), held.chunk.token)]))
    run(fleet.heartbeat("quick"))
    (copy,) = claim("quick")
    assert (name_of(copy), copy.is_duplicate) == (chunk_id(job_id, 0), True)
    (fresh,) = claim("quick")
    assert not fresh.is_duplicate


def test_a_job_that_is_cancelled_tells_both(shared):
    job_id = shared[0].job.job_id
    run(submissions.cancel(job_id))
    for held in shared:
        with pytest.raises(StaleToken):
            done(held)
    assert chunk_of(job_id).second is None
    assert find_broken_invariants(get_engine(), files=False, pause_s=0) == []
