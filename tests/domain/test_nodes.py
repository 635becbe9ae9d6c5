"""How push nodes are judged: rests, blame, and the time they get."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orchard.domain import nodes, workers
from orchard.domain.lifecycle import WorkerStatus
from orchard.domain.nodes import Condition, NodeHealth, Rests

AT = datetime(2026, 1, 1, tzinfo=UTC)
LATER = AT + timedelta(seconds=7)
RESTS = Rests(first_s=5, longest_s=60)


def failed(times: int, condition: Condition = Condition.FAILING, chunk: str = "") -> NodeHealth:
    """A node that failed so many times in a row."""
    health = None
    for _ in range(times):
        health = nodes.note_fault(health, condition, "broke", RESTS, at=AT, chunk=chunk)
    assert health
    return health


@pytest.mark.parametrize(
    ("failures", "rest_s"), [(1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (9, 60), (10**6, 60)]
)
def test_rests_double_up_to_a_limit(failures: int, rest_s: float):
    assert RESTS.after(failures) == rest_s


def test_a_failure_is_counted_and_rested_for():
    health = failed(3, chunk="c1")
    assert (health.failures, health.failed_on, health.reason) == (3, ("c1",), "broke")
    assert health.retry_at == AT + timedelta(seconds=20)


def test_only_so_many_failed_chunks_are_remembered_the_last_ones():
    health = None
    for number in range(50):
        health = nodes.note_fault(health, Condition.SLOW, "x", RESTS, at=AT, chunk=f"c{number}")
    assert health.failed_on == tuple(f"c{number}" for number in range(30, 50))


def test_a_sign_ends_being_away_but_not_being_ill():
    for condition in (Condition.UNREACHABLE, Condition.FORBIDDEN):
        back = nodes.note_sign(failed(4, condition, "c1"), at=LATER)
        assert (back.condition, back.failures, back.retry_at) == (Condition.WELL, 0, None)
        assert back.failed_on == ("c1",)
    ill = nodes.note_sign(failed(4, Condition.NONSENSE), at=LATER)
    assert (ill.condition, ill.failures, ill.checked_at) == (Condition.NONSENSE, 4, LATER)
    assert nodes.note_success(ill, at=LATER).condition is Condition.WELL


@pytest.mark.parametrize(
    ("health", "condition", "completed", "is_blamed"),
    [
        (None, Condition.FAILING, 0, False),  # a node that never did anything
        (None, Condition.FAILING, 3, True),
        (failed(1), Condition.FAILING, 3, False),  # a node on trial
        (failed(1, chunk="c1"), Condition.FAILING, 0, True),  # the same chunk a second time
        (None, Condition.UNREACHABLE, 3, False),  # nothing was sent
        (failed(1, chunk="c1"), Condition.FORBIDDEN, 3, False),
    ],
)
def test_a_failure_is_blamed_on_the_chunk_only_when_it_is_likely_its_fault(
    health, condition, completed, is_blamed
):
    assert nodes.is_blamed_on_chunk(health, condition, "c1", completed=completed) is is_blamed


@pytest.mark.parametrize(
    ("ratios", "duration_ms", "expected_s"),
    [
        ([0.5], 60_000, 90),  # three times 30 s
        ([0.1, 0.5, 9.0], 60_000, 90),  # one slow chunk does not count for much
        ([0.01], 60_000, 10),  # never shorter than this
        ([], 60_000, 360),  # not measured yet
        ([0, -1], 60_000, 360),
        ([50.0], 180_000, 900),  # never longer than allowed
    ],
)
def test_a_node_gets_three_times_the_time_that_its_speed_lets_expect(
    ratios, duration_ms, expected_s
):
    assert nodes.timeout_s(ratios, duration_ms, longest_s=900, health=None) == expected_s


def test_a_node_that_was_too_slow_gets_more_time_each_time():
    given = [
        nodes.timeout_s([0.5], 60_000, longest_s=900, health=failed(times, Condition.SLOW))
        for times in (1, 2, 3, 9)
    ]
    assert given == [180, 360, 720, 900]
    assert nodes.timeout_s([0.5], 60_000, longest_s=900, health=failed(3)) == 90


def test_what_others_note_of_a_node_that_is_away_is_no_sign_of_life():
    new = workers.register_worker(
        None, "http://10.0.0.1:9", mode="push", concurrency=1, metadata={}, at=AT
    ).worker
    held = workers.hear_from(new, at=AT, gained=["c1"]).worker
    away = workers.note_node(held, failed(1, Condition.UNREACHABLE), at=LATER)
    assert [event.condition for event in away.events] == ["unreachable"]
    freed = workers.hear_from(away.worker, at=LATER, lost=["c1"]).worker
    assert (freed.status, freed.pending_chunks, freed.last_updated) == (
        WorkerStatus.OFFLINE,
        (),
        AT,
    )
    back = workers.note_node(freed, nodes.note_sign(freed.node, at=LATER), at=LATER).worker
    assert (back.status, back.last_updated) == (WorkerStatus.ONLINE, LATER)


def test_asking_again_how_a_node_is_that_is_well_is_no_event():
    new = workers.register_worker(
        None, "http://10.0.0.1:9", mode="push", concurrency=1, metadata={}, at=AT
    ).worker
    well = workers.note_node(new, nodes.note_sign(None, at=AT), at=AT).worker
    assert workers.note_node(well, nodes.note_sign(well.node, at=LATER), at=LATER).events == ()
