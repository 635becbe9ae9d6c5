"""Jobs: every stage under a token, the last chunk moves on, retries keep what is done."""

from datetime import UTC, datetime

import pytest

from orchard.domain import jobs, stages
from orchard.domain.chunks import Failure, RetryPolicy
from orchard.domain.errors import InvalidInput, StaleToken, TransitionRefused
from orchard.domain.events import JobAdvanced, JobPurified, PurifierBypassed
from orchard.domain.jobs import Result
from orchard.domain.lifecycle import ChunkStatus, JobStatus
from orchard.domain.timeline import Span

AT = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = RetryPolicy(max_attempts=2, backoff_s=2.0)
SPANS = [Span(start_ms=0, end_ms=30_000), Span(start_ms=40_000, end_ms=60_000)]
RESULT = Result(segments_count=0, total_processing_time_ms=0, text="", segments=())


def new_job(use_purifier=True):
    return jobs.create_job(
        "j", "a.mp3", "jobs/j/source.mp3", 9, owner="me", use_purifier=use_purifier, language="",
        at=AT,
    ).job  # fmt: skip


def start(job, holder="p1"):
    return stages.start_stage(job, holder, POLICY, at=AT).job


def purified():
    job = start(new_job())
    return stages.finish_purifying(job, job.stage.token, 60_000, at=AT).job


def processing():
    job = start(purified())
    change = stages.finish_splitting(job, job.stage.token, SPANS, 60_000, at=AT)
    return change.job, change.chunks


def settled(job, *statuses):
    for status in statuses:
        job = jobs.settle_chunk(job, status, at=AT).job
    return job


def test_a_job_goes_through_every_stage_to_its_transcript():
    job, chunks = processing()
    assert (job.status, job.total_chunks, job.speech_ms) == (JobStatus.PROCESSING, 2, 50_000)
    job = settled(job, ChunkStatus.COMPLETED)
    assert (job.status, job.completed_chunks) == (JobStatus.PROCESSING, 1)
    job = start(settled(job, ChunkStatus.COMPLETED))
    assert job.status is JobStatus.AGGREGATING
    done = stages.finish_aggregating(job, job.stage.token, RESULT, chunks, at=AT).job
    assert (done.status, done.chunks, done.result) == (JobStatus.COMPLETED, chunks, RESULT)


def test_without_the_purifier_a_job_goes_straight_to_splitting():
    change = stages.start_stage(new_job(use_purifier=False), "p1", POLICY, at=AT)
    assert change.job.status is JobStatus.SPLITTING
    assert [type(event) for event in change.events] == [PurifierBypassed, JobAdvanced]


def test_the_old_marks_are_events():
    job = start(new_job())
    change = stages.finish_purifying(job, job.stage.token, 1, at=AT)
    assert isinstance(change.events[0], JobPurified)


def test_a_recording_without_speech_has_no_chunks_and_is_aggregated_at_once():
    job = start(purified())
    change = stages.finish_splitting(job, job.stage.token, [], 60_000, at=AT)
    assert (change.job.status, change.chunks) == (JobStatus.AGGREGATING, ())


def test_a_process_that_was_replaced_can_no_longer_report():
    first = start(new_job())
    second = start(first, "p2")
    assert second.stage.token > first.stage.token
    with pytest.raises(StaleToken) as refusal:
        stages.finish_purifying(second, first.stage.token, 1, at=AT)
    assert refusal.value.facts["holder"] == "p2"


def test_a_report_on_a_stage_that_is_over_is_refused():
    job = start(new_job())
    moved = stages.finish_purifying(job, job.stage.token, 1, at=AT).job
    with pytest.raises(StaleToken):
        stages.finish_purifying(moved, job.stage.token, 1, at=AT)


def test_a_stage_that_kills_its_processes_ends_the_job():
    job = start(start(new_job()), "p2")
    ended = start(job, "p3")
    assert ended.status is JobStatus.FAILED
    assert "2 processes fell silent" in ended.error


def test_a_stage_that_goes_wrong_rests_and_then_fails_the_job_with_the_reason():
    job = start(new_job())
    rested = stages.fail_stage(job, job.stage.token, "disk full", POLICY, retry=True, at=AT).job
    assert (rested.stage.holder, rested.stage.not_before > AT) == ("", True)
    again = start(rested)
    failed = stages.fail_stage(again, again.stage.token, "disk full", POLICY, retry=True, at=AT)
    assert (failed.job.status, failed.job.error) == (JobStatus.FAILED, "disk full")


def test_sound_that_cannot_be_read_is_not_tried_again():
    job = start(new_job())
    failed = stages.fail_stage(job, job.stage.token, "no sound", POLICY, retry=False, at=AT).job
    assert failed.status is JobStatus.FAILED


def test_a_stage_handed_back_costs_no_attempt():
    job = start(new_job())
    back = stages.hand_back_stage(job, job.stage.token).job
    assert (back.stage.attempts, back.stage.holder) == (0, "")
    assert start(back).stage.token == 2


def test_a_dead_letter_fails_the_job_only_when_all_else_is_done():
    job, chunks = processing()
    job = settled(job, ChunkStatus.FAILED)
    assert job.status is JobStatus.PROCESSING
    job = start(settled(job, ChunkStatus.COMPLETED))
    dead = [
        jobs.msgspec.structs.replace(
            chunk,
            status=status,
            errors=(Failure(at=AT, worker_id="w", error="boom"),) if i == 0 else (),
        )
        for i, (chunk, status) in enumerate(
            zip(chunks, (ChunkStatus.FAILED, ChunkStatus.COMPLETED), strict=True)
        )
    ]  # fmt: skip
    ended = stages.finish_aggregating(job, job.stage.token, RESULT, dead, at=AT).job
    assert (ended.status, ended.error) == (JobStatus.FAILED, "1 of 2 chunks failed: boom")
    retried = jobs.retry_job(ended, at=AT)
    assert [chunk.status for chunk in retried.chunks] == ["waiting", "completed"]
    again = start(retried.job)
    assert again.status is JobStatus.SPLITTING
    resumed = stages.resume_processing(again, again.stage.token, retried.chunks, at=AT)
    assert (resumed.job.status, resumed.job.completed_chunks) == (JobStatus.PROCESSING, 1)
    assert [chunk.index for chunk in resumed.chunks] == [0]


def test_cancelling_ends_an_active_job_and_nothing_else():
    job, chunks = processing()
    cancelled = jobs.cancel_job(job, chunks, at=AT).job
    assert (cancelled.status, cancelled.chunks) == (JobStatus.CANCELLED, chunks)
    with pytest.raises(TransitionRefused):
        jobs.cancel_job(cancelled, chunks, at=AT)


def test_only_an_ended_job_can_be_pinned():
    with pytest.raises(TransitionRefused):
        jobs.pin_job(new_job(), True, at=AT)
    job, chunks = processing()
    assert jobs.pin_job(jobs.cancel_job(job, chunks, at=AT).job, True, at=AT).job.pinned


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\music\\a.mp3", "a.mp3"),
        ("会議 🎤.wav", "会議 🎤.wav"),
        ("a\x00b\x1b[31m.wav", "ab[31m.wav"),
        ("x" * 300 + ".wav", "x" * 196 + ".wav"),
    ],
)
def test_a_files_name_is_reduced_to_what_can_be_shown(given, shown):
    assert jobs.check_filename(given) == shown


@pytest.mark.parametrize("name", ["", "..", "/", "\x00", "a/.."])
def test_a_file_without_a_name_is_refused(name):
    with pytest.raises(InvalidInput):
        jobs.check_filename(name)
