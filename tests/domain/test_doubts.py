"""A doubted chunk is done once more, costs no attempt, and never ends with nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchard.domain import chunks, doubts, duplicates
from orchard.domain.chunks import Chunk, ChunkChange, RetryPolicy, Summary
from orchard.domain.errors import StaleToken, TransitionRefused
from orchard.domain.events import ChunkCompleted, ChunkDoubted, ChunkDropped, ChunkRequeued
from orchard.domain.jobs import Job, create_job
from orchard.domain.lifecycle import ChunkStatus

AT = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = RetryPolicy(max_attempts=2)
NEW = Chunk(index=0, start_ms=0, end_ms=30_000)
SUMMARY = Summary(text_length=9, segments_count=1)


def start(chunk: Chunk, worker: str) -> Chunk:
    return chunks.start_chunk("j", chunk, worker, f"agent://{worker}", POLICY, at=AT).chunk


def doubt(chunk: Chunk, token: int | None = None) -> ChunkChange:
    return doubts.doubt_chunk(
        "j", chunk, token=chunk.token if token is None else token, reasons=["loop"], time_ms=7,
        summary=SUMMARY, at=AT,
    )  # fmt: skip


def job() -> Job:
    made = create_job(
        "j", "a.wav", "jobs/j/source", 5, owner="ann", use_purifier=False, language="", at=AT
    )
    return made.job


def test_a_doubted_chunk_waits_again_and_that_was_no_attempt():
    change = doubt(start(NEW, "w1"))
    assert (change.chunk.status, change.chunk.attempts) == (ChunkStatus.WAITING, 0)
    assert change.settled == 0
    assert [type(one) for one in change.events] == [ChunkDoubted, ChunkRequeued]
    assert doubts.is_open(change.chunk)


def test_there_is_no_third_time():
    again = start(doubt(start(NEW, "w1")).chunk, "w2")
    assert again.token == 2
    assert not doubts.may_doubt(again, again.token)
    with pytest.raises(TransitionRefused):
        doubt(again)


def test_only_the_holder_is_doubted():
    with pytest.raises(StaleToken):
        doubt(start(NEW, "w1"), token=9)


@pytest.mark.parametrize("is_first", [True, False])
def test_of_two_holders_one_is_doubted_and_the_other_goes_on(is_first):
    held = duplicates.start_second("j", start(NEW, "w1"), "w2", "agent://w2", at=AT).chunk
    change = doubt(held, token=1 if is_first else 2)
    left = change.chunk
    assert (left.status, left.worker_ids) == (
        ChunkStatus.RUNNING, ("w2",) if is_first else ("w1",)
    )  # fmt: skip
    assert left.doubt
    assert left.doubt.worker_id == ("w1" if is_first else "w2")
    assert [type(one) for one in change.events] == [ChunkDoubted, ChunkDropped]


def test_a_late_doubtful_result_gives_back_no_attempt_that_was_lost_before():
    silent = chunks.expire_chunk("j", start(NEW, "w1"), POLICY, at=AT).chunk
    assert doubt(silent).chunk.attempts == 1


def test_it_is_for_others_for_a_while():
    waiting = doubt(start(NEW, "w1")).chunk
    assert doubts.is_for_others(waiting, "w1", at=AT)
    assert not doubts.is_for_others(waiting, "w2", at=AT)
    assert not doubts.is_for_others(waiting, "w1", at=AT + doubts.PATIENCE)


def test_a_second_try_that_is_given_up_leaves_the_first_result():
    chunk = doubt(start(NEW, "w1")).chunk
    for worker in ("w2", "w3"):
        change = chunks.fail_chunk("j", start(chunk, worker), "boom", POLICY, retry=True, at=AT)
        chunk = change.chunk
    assert chunk.status is ChunkStatus.FAILED
    kept = doubts.rather_first(job(), change, at=AT)
    assert (kept.chunk.status, kept.settled) == (ChunkStatus.COMPLETED, 1)
    assert kept.chunk.doubt
    assert (kept.chunk.doubt.chosen, kept.chunk.doubt.left) == ("first", ("loop",))
    assert kept.chunk.result_summary == SUMMARY
    assert [type(one) for one in kept.events] == [ChunkCompleted]


def test_what_was_never_doubted_fails_as_ever():
    failed = chunks.fail_chunk("j", start(NEW, "w1"), "boom", POLICY, retry=False, at=AT)
    assert doubts.rather_first(job(), failed, at=AT) is failed


def test_a_lost_result_is_judged_anew():
    assert chunks.redo_chunk(doubt(start(NEW, "w1")).chunk).doubt is None
