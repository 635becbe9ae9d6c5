"""Duplicates: two workers with one chunk; the first valid result counts, and neither is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchard.domain import chunks, duplicates
from orchard.domain.chunks import Chunk, RetryPolicy, Summary
from orchard.domain.errors import StaleToken, TransitionRefused
from orchard.domain.events import ChunkDropped, ChunkStarted
from orchard.domain.lifecycle import ChunkStatus

AT = datetime(2026, 1, 1, tzinfo=UTC)
LATER = AT + timedelta(seconds=90)
END = AT + timedelta(seconds=120)
POLICY = RetryPolicy(max_attempts=3)
NEW = Chunk(index=0, start_ms=0, end_ms=30_000)


def start(chunk: Chunk, worker: str, at: datetime = AT) -> Chunk:
    return chunks.start_chunk("j", chunk, worker, f"agent://{worker}", POLICY, at=at).chunk


def copy(chunk: Chunk, worker: str, at: datetime = LATER) -> chunks.ChunkChange:
    return duplicates.start_second("j", chunk, worker, f"agent://{worker}", at=at)


def complete(chunk: Chunk, token: int) -> chunks.ChunkChange:
    return chunks.complete_chunk(
        "j", chunk, token=token, time_ms=900, summary=Summary(text_length=3, segments_count=1),
        completed_chunks=4, total_chunks=9, at=END,
    )  # fmt: skip


def fail(chunk: Chunk, token: int) -> Chunk:
    return chunks.fail_chunk("j", chunk, "boom", POLICY, retry=True, at=END, token=token).chunk


@pytest.fixture
def both() -> Chunk:
    """First with token 1, second with token 2."""
    return copy(start(NEW, "first"), "second").chunk


def test_a_copy_has_a_token_of_its_own_and_is_no_attempt(both):
    assert (both.token, both.second.token, both.attempts) == (1, 2, 1)
    assert (both.token_of("first"), both.token_of("second"), both.token_of("x")) == (1, 2, None)
    (event,) = copy(start(NEW, "first"), "second").events
    assert isinstance(event, ChunkStarted)
    assert (event.worker_id, event.is_duplicate) == ("second", True)


@pytest.mark.parametrize(("token", "winner", "loser", "began"), [
    (1, "first", "second", LATER), (2, "second", "first", AT),
])  # fmt: skip
def test_the_first_result_counts_and_the_other_attempt_is_remembered(
    both, token, winner, loser, began
):
    change = complete(both, token)
    done = change.chunk
    assert (done.worker_id, done.token, done.second, change.settled) == (winner, token, None, 1)
    assert change.events[0].worker_id == winner
    (needless,) = done.superseded
    assert (needless.worker_id, needless.started_at, needless.at) == (loser, began, END)
    assert (done.errors, done.attempts) == ((), 1)
    with pytest.raises(StaleToken) as refusal:
        complete(done, 3 - token)
    assert refusal.value.facts == {"holder": winner, "status": "completed"}
    assert complete(done, token).settled == 0


@pytest.mark.parametrize(("token", "left", "began"), [(1, "second", LATER), (2, "first", AT)])
def test_when_one_fails_the_other_goes_on(both, token, left, began):
    after = fail(both, token)
    assert (after.status, after.worker_id, after.started_at) == (
        ChunkStatus.RUNNING, left, began,
    )  # fmt: skip
    assert (after.second, after.attempts, len(after.errors)) == (None, 2, 1)
    with pytest.raises(StaleToken):
        complete(after, token)
    assert complete(after, 3 - token).settled == 1


@pytest.mark.parametrize("token", [1, 2])
def test_a_copy_that_is_handed_back_costs_nothing(both, token):
    after = chunks.hand_back("j", both, "bye", at=END, token=token)
    assert (after.chunk.attempts, after.chunk.errors, after.chunk.second) == (1, (), None)
    (event,) = after.events
    assert isinstance(event, ChunkDropped)
    assert event.worker_id == {1: "first", 2: "second"}[token]


def test_each_failure_costs_one_attempt_until_none_is_left(both):
    after = fail(fail(both, 2), 1)
    assert (after.status, after.attempts) == (ChunkStatus.WAITING, 2)
    after = fail(copy(start(after, "third"), "fourth").chunk, 3)
    dead = fail(after, 4)
    assert (dead.status, [one.worker_id for one in dead.errors]) == (
        ChunkStatus.FAILED, ["second", "first", "third", "fourth"],
    )  # fmt: skip


def test_when_both_fall_silent_the_chunk_is_done_again_and_no_token_comes_twice(both):
    after = chunks.expire_chunk("j", both, POLICY, at=END).chunk
    assert (after.status, after.not_before, after.attempts) == (ChunkStatus.WAITING, None, 2)
    assert {one.error for one in after.errors} == {"first fell silent", "second fell silent"}
    assert start(after, "third").token == 3


def test_one_of_them_falls_silent(both):
    after = chunks.lose_chunk("j", both, "first", POLICY, at=END).chunk
    assert (after.worker_id, after.token) == ("second", 2)
    with pytest.raises(TransitionRefused):
        chunks.lose_chunk("j", after, "first", POLICY, at=END)
    alone = chunks.lose_chunk("j", after, "second", POLICY, at=END).chunk
    assert alone.status is ChunkStatus.WAITING


def test_a_third_takes_the_place_of_the_first(both):
    change = copy(both, "third", END)
    assert (change.chunk.worker_id, change.chunk.second.worker_id) == ("second", "third")
    assert (change.chunk.second.token, change.chunk.attempts) == (3, 2)
    assert [type(event) for event in change.events] == [ChunkDropped, ChunkStarted]
    with pytest.raises(StaleToken):
        complete(change.chunk, 1)


def test_nobody_makes_a_copy_of_its_own_work_or_of_what_nobody_has(both):
    for chunk, worker in ((both, "first"), (both, "second"), (NEW, "third")):
        with pytest.raises(TransitionRefused):
            copy(chunk, worker)


def test_both_tell_how_far_they_are(both):
    after = chunks.progress_chunk("j", both, 0.4, 2, at=END)
    assert (after.chunk.progress, after.chunk.second.progress) == (0.0, 0.4)
    after = chunks.progress_chunk("j", after.chunk, 0.3, 1, at=END)
    assert (after.chunk.progress, after.chunk.second.progress) == (0.3, 0.4)
    assert after.events[0].progress == 0.4


@pytest.mark.parametrize(
    "end",
    [
        chunks.revive_chunk,
        chunks.redo_chunk,
        lambda chunk: chunks.bury_chunk("j", chunk, "no", at=END).chunk,
        lambda chunk: chunks.hand_back("j", chunk, "by hand", at=END).chunk,
    ],
)
def test_whatever_ends_the_work_of_both_forgets_no_token(both, end):
    after = end(both)
    assert (after.second, after.greatest_token) == (None, 2)


STEPS = ["start", "copy", "complete", "fail", "expire", "lose", "hand_back", "revive"]


@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 3), st.booleans()), max_size=40))
def test_whatever_happens_a_token_is_given_out_once_and_a_chunk_settles_once_a_round(steps):
    chunk, settled, given_out = NEW, 0, set[int]()
    for step, number, is_second in steps:
        name = f"w{number}"
        token = chunk.second.token if chunk.second and is_second else chunk.token
        try:
            if step == "start":
                change = chunks.start_chunk("j", chunk, name, f"agent://{name}", POLICY, at=AT)
            elif step == "copy":
                change = copy(chunk, name)
            elif step == "complete":
                change = complete(chunk, token)
            elif step == "fail":
                change = chunks.fail_chunk("j", chunk, "x", POLICY, retry=True, at=AT, token=token)
            elif step == "expire":
                change = chunks.expire_chunk("j", chunk, POLICY, at=AT)
            elif step == "lose":
                change = chunks.lose_chunk("j", chunk, name, POLICY, at=AT)
            elif step == "hand_back":
                change = chunks.hand_back("j", chunk, "x", at=AT, token=token)
            else:
                settled -= chunk.status is ChunkStatus.FAILED
                change = chunks.ChunkChange(chunk=chunks.revive_chunk(chunk))
        except TransitionRefused:
            continue
        before, chunk, settled = chunk, change.chunk, settled + change.settled
        assert chunk.greatest_token >= before.greatest_token
        assert chunk.greatest_token >= chunk.attempts
        if any(isinstance(event, ChunkStarted) for event in change.events):
            assert chunk.greatest_token not in given_out
            given_out.add(chunk.greatest_token)
        assert chunk.second is None or chunk.status is ChunkStatus.RUNNING
        assert settled == (chunk.status in (ChunkStatus.COMPLETED, ChunkStatus.FAILED))
