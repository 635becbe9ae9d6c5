"""Lanes: workers get what they can do, in the order of turns; nothing else changes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchard import keys
from orchard.domain.errors import InvalidInput
from orchard.domain.orders import Order, can_serve, lane_of, parse_labels, parse_priority
from orchard.domain.queueing import PRIORITY_MS, turn_of
from orchard.services import cleanup, counts, fleet, lanes, reports, run, submissions
from orchard.services.pipeline import claim_stage
from statecore.store import ops
from tests.services.orchards import claim, complete, name_of, processing, submit

# An engine of many partitions keeps the order within each.
in_order = pytest.mark.parametrize("store", ["memory", "redis"], indirect=True)


def worker(name: str, *labels: str, types: tuple[str, ...] = ("audio",)) -> str:
    return run(fleet.register(name=name, types=types, labels=labels)).worker_id


def test_a_plain_recording_stands_where_it_always_did(store):
    job = processing(1)
    place = ops.Score(keys.CHUNK_QUEUE, f"{job.job_id}_chunk_0")
    assert store.read(place) != [None]
    assert run(lanes.list_all()) == [""]


def test_what_demands_a_label_is_given_to_workers_that_have_it(store):
    wanting = processing(1, order=Order(requires=("gpu", "site=x")))
    worker("plain")
    worker("half", "gpu")
    worker("whole", "site=x", "gpu", "more")
    assert claim("plain") == claim("half") == []
    (held,) = claim("whole", 5)
    assert held.job.job_id == wanting.job_id
    complete(held)


@in_order
def test_a_worker_with_labels_does_plain_work_too_and_what_is_first_comes_first(store):
    last = processing(1, order=Order(priority=1))
    second = processing(1, order=Order(requires=("gpu",)))
    first = processing(1, order=Order(priority=9))
    worker("w1", "gpu")
    got = [held.job.job_id for _ in range(3) for held in claim("w1")]
    assert got == [first.job_id, second.job_id, last.job_id]


def test_a_chunk_of_a_lane_comes_back_when_its_worker_falls_silent(store):
    processing(1, order=Order(requires=("gpu",)))
    worker("w1", "gpu")
    (held,) = claim("w1")
    run(reports.expire(name_of(held)))
    worker("w2", "gpu")
    (again,) = claim("w2")
    assert (again.chunk.index, again.chunk.token) == (held.chunk.index, held.chunk.token + 1)


def test_a_sign_of_life_extends_the_lease_in_its_lane(store):
    processing(1, order=Order(requires=("gpu",)))
    worker("w1", "gpu")
    (held,) = claim("w1")
    beat = run(fleet.heartbeat("w1", [(name_of(held), held.chunk.token)]))
    assert beat.extended == (name_of(held),)
    leases = [ops.Count(keys.chunk_leases(lane)) for lane in ("", "audio+gpu")]
    assert store.read(*leases) == [0, 1]


def test_counts_are_of_all_lanes_and_nothing_stays_of_a_job_that_is_gone(store):
    processing(2)
    job = processing(2, order=Order(requires=("gpu",)))
    worker("w1", "gpu")
    load = run(counts.get_load())
    assert (load.waiting_chunks, load.leased_chunks) == (4, 0)
    run(submissions.cancel(job.job_id))
    assert run(counts.get_load()).waiting_chunks == 2
    run(submissions.remove(job.job_id))
    assert store.read(ops.Count(keys.chunk_queue("audio+gpu"))) == [0]


def test_the_list_of_lanes_is_healed_when_somebody_deletes_it(store):
    processing(1, order=Order(requires=("gpu",)))
    store.commit({}, (ops.Delete((keys.LANES,)),))
    worker("w1", "gpu")
    assert claim("w1") == []
    run(cleanup.heal_jobs(""))
    assert len(claim("w1")) == 1


@in_order
def test_an_urgent_job_goes_first_and_one_of_low_priority_waits(store):
    low = processing(1, order=Order(priority=parse_priority("low")))
    normal = processing(1)
    high = processing(1, order=Order(priority=parse_priority("high")))
    worker("w1")
    got = [one.job.job_id for one in claim("w1", 3)]
    assert got == [high.job_id, normal.job_id, low.job_id]


@in_order
def test_stages_go_by_priority_too(store):
    submit()
    urgent = submit(order=Order(priority=9))
    taken = run(claim_stage("p1"))
    assert taken is not None
    assert taken.job_id == urgent.job_id


def test_nothing_is_overtaken_for_ever(clock):
    at = clock.now()
    later = at + timedelta(milliseconds=10 * PRIORITY_MS)
    assert turn_of(at, 0, 0) < turn_of(later, 0, 9)


def test_a_lane_is_named_by_type_and_labels_in_order():
    assert lane_of("audio", ()) == ""
    assert lane_of("audio", ("b", "a")) == "audio+a+b"
    assert lane_of("text", ()) == "text"
    assert can_serve("", ["audio"], [])
    assert not can_serve("", ["text"], [])
    assert can_serve("text+a", ["text"], ["a", "b"])
    assert not can_serve("text+a", ["text"], ["b"])


@pytest.mark.parametrize("text", ["", "10", "urgent", "-1", "5.5", "５"])
def test_a_priority_that_there_is_not_is_refused(text):
    with pytest.raises(InvalidInput, match="priority"):
        parse_priority(text)


@pytest.mark.parametrize("label", ["a+b", "a b", "=x", "a=", "ü", "x" * 50, "a:b", "a\x00"])
def test_a_label_that_is_none_is_refused(label):
    with pytest.raises(InvalidInput, match="requires"):
        parse_labels("requires", [label])


def test_too_many_labels_are_refused_and_the_same_twice_is_one():
    assert parse_labels("requires", ["b", "a", "b", " "]) == ("a", "b")
    with pytest.raises(InvalidInput, match="at most 5"):
        parse_labels("requires", list("abcdef"))
