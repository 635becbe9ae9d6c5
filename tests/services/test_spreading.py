"""New jobs are spread over partitions, evenly whatever the number of processes."""

from __future__ import annotations

import random

import pytest

from orchard import keys
from orchard.placement import LAYOUT
from orchard.services import submissions
from orchard.services.spreading import FORGET_AFTER, Spread
from statecore.store.clock import ManualClock
from statecore.store.memory import MemoryStore
from statecore.store.partitions import PartitionedStore


def test_each_job_goes_where_fewest_went():
    spread = Spread()
    assert [spread.choose([1, 2]), spread.choose([1, 2]), spread.choose([1, 2])] == [0, 1, 0]
    assert spread.choose([1, 2, 3]) == 2


def test_with_one_partition_there_is_nothing_to_choose():
    assert Spread().choose([0]) == 0


def test_what_was_given_long_ago_counts_less():
    spread = Spread()
    for _ in range(FORGET_AFTER):
        spread.choose([1])
    now = [spread.choose([1, 2]) for _ in range(FORGET_AFTER)]
    assert now.index(0) == pytest.approx(FORGET_AFTER / 2, abs=2)


def test_a_new_job_is_named_for_a_partition_that_has_few(monkeypatch):
    monkeypatch.setattr(submissions, "_spread", Spread())
    dice = random.Random(5)
    monkeypatch.setattr(submissions, "new_job_id", lambda: f"{dice.getrandbits(64):016x}")
    store = PartitionedStore(MemoryStore(ManualClock()), 5, LAYOUT)
    names = [store.run(submissions.name_job("ann")) for _ in range(50)]
    places = [LAYOUT.place_of(keys.job(name), 5) for name in names]
    assert [places.count(one) for one in range(5)] == [10] * 5


def test_a_job_with_an_idempotency_key_lies_beside_it():
    store = PartitionedStore(MemoryStore(ManualClock()), 5, LAYOUT)
    for key in map(str, range(20)):
        name = store.run(submissions.name_job("ann", key))
        assert store.locate([keys.job(name)]) == store.locate([keys.idempotency("ann", key)])
