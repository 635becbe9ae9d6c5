"""The doctor sees queues and leases of every lane, and mends what somebody broke there."""

from __future__ import annotations

import pytest

from orchard import keys
from orchard.doctor.examining import examine, repair
from orchard.domain.orders import Order
from orchard.ports import recordings
from orchard.services import fleet, run
from statecore.store import Store, ops
from tests.services.orchards import claim, processing

LANE = "audio+gpu"


@pytest.fixture
def held(store: Store) -> str:
    """Two chunks of a lane, one of them with a worker; its job's id."""
    job = processing(2, order=Order(requires=("gpu",)))
    for index in range(2):
        recordings.save_bytes(recordings.chunk_name(job.job_id, index), b"sound")
    run(fleet.register(name="w1", labels=["gpu"]))
    assert len(claim("w1", 1)) == 1
    return job.job_id


def codes(store: Store) -> set[str]:
    return {finding.code for finding in examine(store).findings}


def test_a_lane_in_order_has_no_findings(store: Store, held: str):
    assert codes(store) == set()


@pytest.mark.parametrize("key", [keys.chunk_queue(LANE), keys.chunk_leases(LANE)])
def test_a_queue_of_a_lane_that_somebody_deleted_is_made_anew(store: Store, held: str, key: str):
    store.commit({}, (ops.Delete((key,)),))
    assert codes(store) == {"chunk-lost"}
    repair(store, pause_s=0)
    assert codes(store) == set()
    assert store.read(ops.Count(key)) == [1]


def test_a_name_in_a_lane_that_stands_for_nothing_goes(store: Store, held: str):
    store.commit({}, (ops.SortedAdd(keys.chunk_queue(LANE), {"nobody_chunk_1": 1.0}),))
    assert codes(store) == {"chunk-stale"}
    repair(store, pause_s=0)
    assert (codes(store), store.read(ops.Count(keys.chunk_queue(LANE)))) == (set(), [1])
