"""What time does: leases run out, rests end, workers are forgotten, ended jobs expire."""

import pytest

from orchard import keys
from orchard.domain.errors import StaleToken, UnknownJob, UnknownWorker
from orchard.domain.jobs import Result
from orchard.domain.lifecycle import ChunkStatus, JobStatus, WorkerStatus
from orchard.ports import recordings
from orchard.services import (
    cleanup,
    counts,
    engine,
    fleet,
    lookups,
    pipeline,
    queries,
    reports,
    run,
    submissions,
)
from statecore.store import ops
from tests.services.orchards import claim, complete, name_of, processing, submit, worker

HOUR_S = 3600


@pytest.fixture(autouse=True)
def store(memory_store, settings, tmp_path):
    """The memory store, whose clock the test moves, and a media folder of its own."""
    settings.MEDIA_ROOT = tmp_path
    before = engine.use(memory_store)
    yield memory_store
    engine.use(before)


def ended(status=JobStatus.CANCELLED):
    """A job that has ended."""
    job = processing(2)
    return run(submissions.cancel(job.job_id))


def completed():
    """A job that went all the way."""
    job = processing(1)
    worker()
    complete(claim()[0], "hello")
    stage = run(pipeline.claim_stage("p1"))
    chunks, _ = run(pipeline.get_results(job.job_id))
    result = Result(segments_count=0, total_processing_time_ms=1, text="hello", segments=())
    return run(pipeline.finish_aggregating(job.job_id, stage.stage.token, result, chunks))


def test_a_chunk_whose_worker_fell_silent_goes_to_the_next_one(clock):
    processing(1)
    worker("w1")
    (lost,) = claim("w1")
    clock.advance(29)
    worker("w2")
    assert claim("w2") == []
    clock.advance(2)
    (taken,) = claim("w2")
    assert (taken.chunk.attempts, taken.chunk.token) == (2, 2)
    with pytest.raises(StaleToken) as refusal:
        complete(lost)
    assert refusal.value.facts["holder"] == "w2"
    assert complete(taken).repeated is False


def test_signs_of_life_keep_a_lease(clock):
    processing(1)
    worker("w1")
    worker("w2")
    (held,) = claim("w1")
    for _ in range(6):
        clock.advance(20)
        beat = run(fleet.heartbeat("w1", [(name_of(held), held.chunk.token)]))
        assert beat.lost == ()
        run(fleet.heartbeat("w2"))
        assert claim("w2") == []


def test_progress_keeps_a_lease(clock):
    processing(1)
    worker("w1")
    worker("w2")
    (held,) = claim("w1")
    for step in range(6):
        clock.advance(20)
        run(reports.progress(name_of(held), "w1", held.chunk.token, step / 10))
        run(fleet.heartbeat("w2"))
        assert claim("w2") == []


def test_clearing_up_shows_a_lost_chunk_as_waiting_without_anybody_claiming(clock):
    job = processing(1)
    worker()
    (held,) = claim()
    clock.advance(31)
    run(cleanup.clear_once())
    (chunk,) = run(queries.get_job(job.job_id)).chunks
    assert (chunk.status, chunk.errors[-1].error) == (ChunkStatus.WAITING, "w1 fell silent")
    assert complete(held).repeated is False  # nobody took it over, so the late result counts


def test_a_rest_after_a_failure_doubles_and_ends(clock):
    processing(1)
    worker()
    for rest_s in (2, 4, 8):
        (held,) = claim()
        run(reports.fail(name_of(held), "w1", held.chunk.token, "boom"))
        clock.advance(rest_s - 0.1)
        assert claim() == []
        clock.advance(0.2)
    (last,) = claim()
    assert last.chunk.attempts == 4


def test_a_chunk_that_fails_too_often_is_a_dead_letter_and_a_retry_redoes_only_that(clock):
    job = processing(2)
    worker()
    first, second = claim(count=2)
    complete(first, "kept")
    held = second
    while True:
        failed = run(reports.fail(name_of(held), "w1", held.chunk.token, "boom"))
        if failed.status is ChunkStatus.FAILED:
            break
        clock.advance(60)
        (held,) = claim()
    stage = run(pipeline.claim_stage("p1"))
    assert stage.status is JobStatus.AGGREGATING
    chunks, _ = run(pipeline.get_results(job.job_id))
    result = Result(segments_count=0, total_processing_time_ms=0)
    over = run(pipeline.finish_aggregating(job.job_id, stage.stage.token, result, chunks))
    assert (over.status, over.error) == (JobStatus.FAILED, "1 of 2 chunks failed: boom")
    run(submissions.retry(job.job_id))
    again = run(pipeline.claim_stage("p1"))
    run(pipeline.resume_processing(job.job_id, again.stage.token))
    (redone,) = claim(count=5)
    assert redone.chunk.index == second.chunk.index
    complete(redone, "mended")
    assert run(queries.get_transcript(job.job_id)).transcript.text == "kept mended"


def test_a_worker_is_offline_after_thirty_seconds_and_gone_after_five_minutes(clock):
    worker()
    clock.advance(31)
    assert run(counts.get_stats()).workers.offline == 1
    assert run(queries.list_workers())[0].status is WorkerStatus.OFFLINE
    run(cleanup.clear_once())
    assert run(lookups.get_worker("w1")).status is WorkerStatus.OFFLINE
    clock.advance(270)
    assert run(counts.get_stats()).workers.total == 0
    run(cleanup.clear_once())
    with pytest.raises(UnknownWorker):
        run(lookups.get_worker("w1"))
    with pytest.raises(UnknownWorker):
        run(fleet.heartbeat("w1"))


def test_an_ended_job_expires_an_hour_after_its_last_change_with_its_files(clock):
    job = completed()
    recordings.save_bytes(recordings.transcript_name(job.job_id), b"{}")
    clock.advance(HOUR_S - 1)
    assert run(queries.get_job(job.job_id)).job.status is JobStatus.COMPLETED
    clock.advance(2)
    stats = run(counts.get_stats()).jobs
    assert (stats.total, stats.completed) == (0, 0)
    run(cleanup.clear_once())
    with pytest.raises(UnknownJob):
        run(queries.get_job(job.job_id))
    assert recordings.list_jobs() == []


def test_a_running_job_never_expires(clock):
    job = processing(2)
    clock.advance(30 * HOUR_S)
    run(cleanup.clear_once())
    assert run(queries.get_job(job.job_id)).job.status is JobStatus.PROCESSING
    waiting = submit()
    clock.advance(30 * HOUR_S)
    run(cleanup.clear_once())
    assert run(queries.get_job(waiting.job_id)).job.status is JobStatus.CREATED


def test_a_pinned_job_stays_until_it_is_let_go(clock):
    job = ended()
    run(submissions.pin(job.job_id, True))
    clock.advance(5 * HOUR_S)
    run(cleanup.clear_once())
    assert run(queries.get_job(job.job_id)).job.pinned
    assert run(counts.count_jobs())[JobStatus.CANCELLED] == 1
    run(submissions.pin(job.job_id, False))
    clock.advance(HOUR_S + 1)
    run(cleanup.clear_once())
    assert run(counts.get_stats()).jobs.total == 0


def test_a_process_that_dies_in_a_stage_is_replaced_when_its_lease_is_over(clock):
    submit()
    first = run(pipeline.claim_stage("p1"))
    clock.advance(29)
    assert run(pipeline.claim_stage("p2")) is None
    clock.advance(2)
    second = run(pipeline.claim_stage("p2"))
    assert (second.stage.token, second.stage.attempts) == (first.stage.token + 1, 2)
    with pytest.raises(StaleToken):
        run(pipeline.progress(first.job_id, first.stage.token, 0.5))


def test_a_stage_that_is_reported_on_is_not_taken_away(clock):
    submit()
    job = run(pipeline.claim_stage("p1"))
    for step in range(5):
        clock.advance(20)
        run(pipeline.progress(job.job_id, job.stage.token, step / 10))
        assert run(pipeline.claim_stage("p2")) is None


def test_the_lead_falls_free_when_its_process_dies(clock):
    assert run(cleanup.lead("a"))
    clock.advance(6)
    assert run(cleanup.lead("b"))


def test_a_job_deleted_by_hand_is_healed_without_anybody_looking(store):
    job = processing(2)
    store.commit({}, [ops.Delete((keys.job(job.job_id),))])
    cleared, _ = run(cleanup.clear_once())
    assert cleared.jobs == 1
    assert run(counts.get_stats()).jobs.total == 0


def test_files_without_a_job_are_deleted_once_they_are_old(store):
    recordings.save_bytes(recordings.source_name("gone", "a.wav"), b"x")
    assert run(cleanup.delete_orphaned_files(older_than_s=3600)) == []
    assert run(cleanup.delete_orphaned_files(older_than_s=0)) == ["gone"]
    assert recordings.list_jobs() == []
