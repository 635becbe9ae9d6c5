"""Assignment: who gets which chunk, and when a chunk is given to two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchard.domain import assignments
from orchard.domain.assignments import Attempt, Choice, Hand, Outlook, Waiting

LEASE_S = 30.0


def outlook(waiting=(), attempts=(), **paces: float | None) -> Outlook:
    hands = {name: Hand(name, pace) for name, pace in paces.items()}
    return Outlook(
        [Waiting(name, length) for name, length in waiting],
        [Attempt(*one) for one in attempts],
        hands,
    )


def choose(worker: str, seen: Outlook, count: int = 1) -> list[Choice]:
    return assignments.choose(worker, seen, shortest_s=LEASE_S, count=count)


def test_who_is_alone_gets_what_is_first():
    seen = outlook([("a", 60), ("b", 30)], slow=4.0)
    assert choose("slow", seen) == [Choice("a")]
    assert choose("slow", seen, count=5) == [Choice("a"), Choice("b")]


def test_a_slow_worker_gets_nothing_that_a_fast_one_would_finish_earlier():
    busy = [("x", 60, "fast", 20.0)]  # free in 11 s, and then done with the next 31 s later
    assert choose("slow", outlook([("a", 60)], busy, fast=0.5, slow=4.0)) == []
    assert choose("slow", outlook([("a", 60)], busy, fast=0.5, slow=0.6)) == [Choice("a")]


def test_a_slow_worker_gets_the_part_of_the_work_that_it_finishes_with_the_others():
    waiting = [(f"c{i}", 60 - i) for i in range(12)]
    seen = outlook(waiting, [("x", 60, "fast", 0.0)], fast=0.5, slow=2.0)
    (choice,) = choose("slow", seen)
    assert 0 < int(choice.name[1:]) < 5  # the longest ones are the fast worker's
    # Much work is left for both: then the slow one begins with the longest it can do in time.
    short = outlook(waiting[:2], [("x", 60, "fast", 0.0)], fast=0.5, slow=2.0)
    assert choose("slow", short) == []


def test_nobody_waits_for_a_worker_that_will_ask_no_more():
    hands = {"slow": Hand("slow", 4.0), "fast": Hand("fast", 0.5, takes_more=False)}
    seen = Outlook([Waiting("a", 60)], [Attempt("x", 60, "fast", 20.0)], hands)
    assert choose("slow", seen) == [Choice("a")]


def test_nobody_waits_for_a_worker_that_is_late_itself():
    seen = outlook([("a", 60)], [("x", 60, "fast", 600.0)], fast=0.5, slow=4.0)
    assert assignments.choose_waiting("slow", seen) == [Choice("a")]


def test_an_unmeasured_worker_gets_a_short_chunk_first():
    waiting = [("long", 60), ("short", 20), ("later", 5)]
    busy = [("x", 60, "known", 0.0)]
    assert choose("new", outlook(waiting, busy, known=1.0, new=None)) == [Choice("short")]
    assert choose("new", outlook(waiting, busy, known=None, new=None)) == [Choice("long")]


def test_an_idle_worker_copies_what_it_would_finish_clearly_earlier():
    stuck = [("x", 60, "slow", 10.0), ("y", 60, "fair", 10.0)]
    seen = outlook([], stuck, slow=4.0, fair=1.0, fast=0.5)
    assert choose("fast", seen) == [Choice("x", is_duplicate=True)]
    assert choose("fair", outlook([], [("x", 60, "slow", 200.0)], slow=4.0, fair=1.0)) == []


def test_a_copy_is_left_to_whoever_makes_it_first():
    stuck = [("x", 60, "slow", 10.0), ("y", 60, "fast", 50.0)]
    seen = outlook([], stuck, slow=9.0, fair=3.0, fast=1.0)
    assert choose("fair", seen) == []  # the fast one is free in a moment


def test_nobody_unmeasured_makes_copies():
    assert choose("new", outlook([], [("x", 60, "slow", 500.0)], slow=1.0, new=None)) == []


def test_two_are_enough_for_a_chunk_unless_both_are_out_of_time():
    def both(elapsed_s: float) -> Outlook:
        held = [("x", 60, "a", elapsed_s), ("x", 60, "b", elapsed_s)]
        return outlook([], held, a=1.0, b=1.0, c=0.5)

    assert choose("c", both(150.0)) == []
    assert choose("c", both(200.0)) == [Choice("x", is_duplicate=True)]


def test_what_is_out_of_time_comes_before_new_work_and_never_within_a_lease():
    late = [("x", 2, "a", 29.0)]
    assert choose("c", outlook([("new", 9)], late, a=1.0, c=1.0)) == [Choice("new")]
    late = [("x", 2, "a", 31.0)]
    assert choose("c", outlook([("new", 9)], late, a=1.0, c=1.0)) == [Choice("x", True)]
    # A worker that is slower than usual would only be late, too.
    seen = outlook([("new", 9)], late, a=1.0, c=5.0, d=1.0)
    assert assignments.choose_overdue("c", seen, shortest_s=LEASE_S) is None


def test_where_much_is_waiting_whoever_asks_gets_the_first():
    seen = outlook([("a", 60), ("b", 60)], [("x", 60, "fast", 20.0)], fast=0.5, slow=4.0)
    assert choose("slow", seen._replace(is_crowded=True)) == [Choice("a")]


def test_a_pace_follows_the_newest_measurements():
    assert assignments.pace_of([]) is None
    assert assignments.pace_of([0.0, -1.0]) is None
    assert assignments.pace_of([2.0]) == 2.0
    assert assignments.pace_of([2.0] * 10 + [1.0]) == pytest.approx(1.7)
    assert assignments.pace_of([2.0] + [1.0] * 20) == pytest.approx(1.0, abs=0.01)


paces = st.none() | st.floats(0.01, 20)
lengths = st.floats(0.1, 180)


@given(
    st.lists(paces, min_size=1, max_size=6), st.lists(lengths, max_size=12),
    st.lists(st.tuples(lengths, st.integers(0, 5), st.floats(0, 2000)), max_size=8),
    st.integers(1, 5), st.booleans(),
)  # fmt: skip
def test_whatever_there_is_a_choice_is_sound(known, waiting, held, count, is_crowded):
    names = [f"w{i}" for i in range(len(known))]
    seen = Outlook(
        [Waiting(f"q{i}", length) for i, length in enumerate(waiting)],
        [Attempt(f"r{i}", s, names[w % len(names)], e) for i, (s, w, e) in enumerate(held)],
        {name: Hand(name, pace) for name, pace in zip(names, known, strict=True)},
        is_crowded,
    )
    chosen = choose("w0", seen, count)
    assert len(chosen) <= count
    assert len({one.name for one in chosen}) == len(chosen)
    mine = {one.name for one in seen.attempts if one.worker_id == "w0"}
    for one in chosen:
        assert one.name.startswith("r" if one.is_duplicate else "q")
        assert one.name not in mine


@given(st.lists(lengths, min_size=1, max_size=12), st.lists(st.floats(0.01, 20), max_size=5))
def test_somebody_always_does_what_waits(waiting, others):
    """Whoever is held back is so for one who is at work; when all are free, the first asks."""
    everybody = {f"w{i}": Hand(f"w{i}", pace) for i, pace in enumerate([1.0, *others])}
    seen = Outlook([Waiting(f"q{i}", one) for i, one in enumerate(waiting)], [], everybody)
    assert all(choose(name, seen) == [Choice("q0")] for name in everybody)
