"""The queue's order: recordings in their turn, the longest chunk of each first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from orchard.domain.queueing import LENGTH_WEIGHT, duration_ms_at, queue_place, turn_of

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR_MS = 3_600_000


def later(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_a_short_recording_overtakes_a_long_one_that_came_in_a_little_earlier():
    assert turn_of(later(5), 120_000) < turn_of(NOON, HOUR_MS)
    assert turn_of(later(20), 120_000) > turn_of(NOON, HOUR_MS)


def test_of_two_alike_the_first_one_comes_first():
    assert turn_of(NOON, HOUR_MS) < turn_of(later(1), HOUR_MS)


@given(st.integers(0, 100_000_000), st.integers(0, 100_000_000))
def test_nothing_is_overtaken_for_ever(long_ms, short_ms):
    patience = timedelta(milliseconds=long_ms * LENGTH_WEIGHT + 1)
    assert turn_of(NOON, long_ms) <= turn_of(NOON + patience, short_ms)


turns = st.integers(0, 400_000_000_000).map(lambda number: 10 * number)
durations = st.integers(0, 19_999).map(lambda number: 10 * number)


@given(turns, durations, turns, durations)
def test_turns_come_first_and_then_the_longest(one, one_ms, other, other_ms):
    in_order = (one, -one_ms) < (other, -other_ms)
    assert (queue_place(one, one_ms) < queue_place(other, other_ms)) == in_order


@given(turns, durations)
def test_a_place_tells_how_long_the_chunk_is(turn, duration_ms):
    place = queue_place(turn, duration_ms)
    assert duration_ms_at(place) == duration_ms
    assert int(place) == place < 2**53  # exact as a score of the engine


def test_a_chunk_of_absurd_length_stays_within_its_turn():
    assert queue_place(50, 10**9) == queue_place(50, 199_999)
    assert queue_place(50, -1) == queue_place(50, 0)
