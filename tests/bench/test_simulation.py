"""Simulated fleets: a bound that is one, seeds that repeat, and goals that hold."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import makespans, simulation
from benchmarks.simulation import Simulation, Worker, World, assigned, ideal_s, plain_pull

SEEDS = range(1000, 1012)
"""Worlds that the figures of the bench are not made of."""


def world(*workers: Worker, chunks: tuple[float, ...]) -> World:
    return World(workers, chunks, seed=1)


def test_a_seed_is_always_the_same_world_with_the_same_end():
    for faults in (False, True):
        one, again = (simulation.make_world(7, faults=faults) for _ in range(2))
        assert one == again
        assert Simulation(one, assigned).run() == Simulation(again, assigned).run()
    assert simulation.make_world(8) != simulation.make_world(7)


def test_worlds_are_as_the_goal_says():
    for seed in range(50):
        made = simulation.make_world(seed)
        assert 4 <= len(made.workers) <= 12
        assert 60 <= len(made.chunks) <= 240
        assert all(0.3 <= one.speed <= 2.0 for one in made.workers)


def test_the_ideal_is_all_capacity_from_the_first_moment_on():
    fast, slow = Worker("f", 2.0), Worker("s", 1.0)
    assert ideal_s(world(fast, slow, chunks=(30.0,) * 10)) == 100.0
    assert ideal_s(world(fast, slow, chunks=(240.0, 30.0))) == 120.0  # nobody cuts a chunk in two
    dies = slow._replace(dies_s=60.0)
    assert ideal_s(world(fast, dies, chunks=(30.0,) * 10)) == 60 + 120 / 2
    stalls = slow._replace(stalls_s=30.0, stalls_for_s=30.0)
    assert ideal_s(world(fast, stalls, chunks=(30.0,) * 10)) == 60 + (300 - 90 - 60) / 3


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.booleans(), st.sampled_from([plain_pull, assigned]))
def test_no_fleet_is_faster_than_ideal_and_every_one_ends(seed, faults, policy):
    # The speed varies from chunk to chunk, so a fleet may be lucky by a little.
    assert simulation.makespan_ratio(seed, policy, faults=faults) > 0.95


@pytest.mark.parametrize("faults", [False, True])
def test_the_goals_hold_for_a_dozen_other_worlds(faults):
    mean, most = makespans.GOALS[faults]
    ours = makespans.simulate(assigned, SEEDS, faults=faults)
    assert ours.mean <= mean
    assert ours.quantile(0.9) <= most


def test_with_deaths_and_stalls_it_is_far_better_than_whoever_comes_gets_the_longest():
    ours = makespans.simulate(assigned, SEEDS, faults=True)
    plain = makespans.simulate(plain_pull, SEEDS, faults=True)
    assert ours.mean - 1 < (plain.mean - 1) / 2


def test_a_worker_that_hangs_does_not_hold_up_the_rest():
    hangs = Worker("h", 1.0, stalls_s=20.0, stalls_for_s=10_000.0)
    both = world(hangs, Worker("w", 1.0), chunks=(40.0,) * 6)
    assert Simulation(both, plain_pull).run() > 10_000
    assert Simulation(both, assigned).run() < 400


def test_the_rows_of_the_bench_are_those_of_the_goal():
    rows = {row.name: row for row in makespans.measure(worlds=5)}
    assert len(rows) == 8
    assert {row.row for row in rows.values()} == {"9"}
    assert rows["makespan, deaths and stalls, p95"].goal == 1.4
    assert not rows["makespan, plain pull, all well, mean"].at_most


def test_the_picture_shows_every_policy():
    spreads = {
        (faults, name): makespans.Spread([1.0, 1.1, 2.5])
        for faults in makespans.KINDS
        for name in makespans.POLICIES
    }
    drawn = ElementTree.fromstring(makespans.draw(spreads))
    texts = ["".join(one.itertext()) for one in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert all(texts.count(name) == 2 for name in makespans.POLICIES)
