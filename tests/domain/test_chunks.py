"""Chunks: leases with fencing tokens, retries with rests, dead letters, repeated reports."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchard.domain import chunks
from orchard.domain.chunks import Chunk, RetryPolicy, Summary
from orchard.domain.errors import StaleToken, TransitionRefused
from orchard.domain.lifecycle import ChunkStatus

AT = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = RetryPolicy(max_attempts=3, backoff_s=2.0, backoff_max_s=60.0)
NEW = Chunk(index=0, start_ms=0, end_ms=30_000)


def start(chunk, worker="w1", at=AT):
    return chunks.start_chunk("j", chunk, worker, f"agent://{worker}", POLICY, at=at)


def complete(chunk, token, at=AT):
    return chunks.complete_chunk(
        "j", chunk, token=token, time_ms=900, summary=Summary(text_length=3, segments_count=1),
        completed_chunks=4, total_chunks=9, at=at,
    )  # fmt: skip


def test_a_started_chunk_has_a_holder_a_token_and_an_attempt():
    change = start(NEW)
    assert change.chunk.status is ChunkStatus.RUNNING
    assert (change.chunk.token, change.chunk.attempts) == (1, 1)
    assert (change.chunk.worker_id, change.chunk.worker_url) == ("w1", "agent://w1")
    (event,) = change.events
    assert (event.chunk_id, event.worker_id, event.attempts) == ("j_chunk_0", "w1", 1)


def test_a_result_with_the_right_token_completes_the_chunk_and_counts_once():
    running = start(NEW).chunk
    first = complete(running, 1)
    assert (first.chunk.status, first.settled) == (ChunkStatus.COMPLETED, 1)
    assert first.events[0].completed_chunks == 5
    again = complete(first.chunk, 1)
    assert (again.chunk, again.settled, again.events) == (first.chunk, 0, ())


def test_a_result_with_an_old_token_is_refused_and_names_the_holder():
    taken_over = start(start(NEW).chunk, "w2").chunk
    with pytest.raises(StaleToken) as refusal:
        complete(taken_over, 1)
    assert refusal.value.facts["holder"] == "w2"


def test_a_late_result_counts_as_long_as_nobody_else_took_the_chunk():
    expired = chunks.expire_chunk("j", start(NEW).chunk, POLICY, at=AT).chunk
    assert expired.status is ChunkStatus.WAITING
    assert complete(expired, 1).settled == 1


def test_a_dead_letter_takes_no_result():
    dead = chunks.fail_chunk("j", start(NEW).chunk, "no", POLICY, retry=False, at=AT).chunk
    with pytest.raises(TransitionRefused):
        complete(dead, 1)


def test_a_failed_chunk_rests_longer_each_time_and_is_buried_after_its_last_attempt():
    chunk, rests = NEW, []
    for _ in range(POLICY.max_attempts):
        change = chunks.fail_chunk("j", start(chunk).chunk, "boom", POLICY, retry=True, at=AT)
        chunk = change.chunk
        rests.append(chunk.not_before and (chunk.not_before - AT).total_seconds())
    assert rests == [2.0, 4.0, None]
    assert (chunk.status, change.settled) == (ChunkStatus.FAILED, 1)
    assert [failure.error for failure in chunk.errors] == ["boom"] * 3


def test_a_chunk_whose_worker_fell_silent_needs_no_rest():
    change = chunks.expire_chunk("j", start(NEW).chunk, POLICY, at=AT)
    assert (change.chunk.status, change.chunk.not_before) == (ChunkStatus.WAITING, None)
    assert change.chunk.errors[-1].error == "w1 fell silent"


def test_a_chunk_that_silenced_too_many_workers_is_buried_when_the_next_one_takes_it():
    chunk = NEW
    for name in ("w1", "w2", "w3"):
        chunk = start(chunk, name).chunk
    assert chunk.attempts == 3
    change = start(chunk, "w4")
    assert (change.chunk.status, change.settled) == (ChunkStatus.FAILED, 1)
    assert change.chunk.token == 3


def test_a_chunk_handed_back_costs_no_attempt():
    back = chunks.hand_back("j", start(NEW).chunk, "shutting down", at=AT).chunk
    assert (back.status, back.attempts) == (ChunkStatus.WAITING, 0)
    assert start(back).chunk.token == 2


def test_progress_only_grows_and_only_for_the_holder():
    running = start(NEW).chunk
    further = chunks.progress_chunk("j", running, 0.5, 1, at=AT).chunk
    assert chunks.progress_chunk("j", further, 0.2, 1, at=AT).chunk.progress == 0.5
    with pytest.raises(StaleToken):
        chunks.progress_chunk("j", further, 0.9, 0, at=AT)


def test_a_revived_chunk_keeps_its_token_so_that_old_reports_stay_refused():
    dead = chunks.fail_chunk("j", start(NEW).chunk, "no", POLICY, retry=False, at=AT).chunk
    revived = chunks.revive_chunk(dead)
    assert (revived.status, revived.attempts, revived.token) == (ChunkStatus.WAITING, 0, 1)


@given(st.text(), st.integers(0, 999_999))
def test_a_chunks_name_leads_back_to_its_place(job_id, index):
    place = chunks.parse_chunk_id(chunks.chunk_id(job_id, index))
    assert place == ((job_id, index) if job_id else None)


@pytest.mark.parametrize(
    "name",
    ["", "x", "_chunk_1", "j_chunk_", "j_chunk_-1", "j_chunk_1e3", "j_chunk_٣", "j_chunk_9999999"],
)
def test_what_is_no_chunks_name_has_no_place(name):
    assert chunks.parse_chunk_id(name) is None


@given(
    st.lists(
        st.sampled_from(["start", "complete", "fail", "expire", "hand_back", "revive"]), max_size=40
    )
)
def test_whatever_happens_tokens_only_grow_and_a_chunk_settles_at_most_once_a_round(steps):
    chunk, settled = NEW, 0
    for i, step in enumerate(steps):
        at, before = AT + timedelta(seconds=i), chunk
        try:
            if step == "start":
                change = start(chunk, at=at)
            elif step == "complete":
                change = complete(chunk, chunk.token, at)
            elif step == "fail":
                change = chunks.fail_chunk("j", chunk, "x", POLICY, retry=True, at=at)
            elif step == "expire":
                change = chunks.expire_chunk("j", chunk, POLICY, at=at)
            elif step == "hand_back":
                change = chunks.hand_back("j", chunk, "x", at=at)
            else:
                settled -= chunk.status is ChunkStatus.FAILED
                change = chunks.ChunkChange(chunk=chunks.revive_chunk(chunk))
        except TransitionRefused:
            continue
        chunk, settled = change.chunk, settled + change.settled
        assert chunk.token >= before.token
        assert settled == (chunk.status in (ChunkStatus.COMPLETED, ChunkStatus.FAILED))
