"""Lacks, against the stores: a job that waits knows what it waits for, as claims decide it."""

from __future__ import annotations

import pytest

from orchard.conf import get_conf
from orchard.domain.lacks import Reason
from orchard.domain.orders import Order
from orchard.services import fleet, lacks, queries, run
from tests.services.orchards import claim, complete, processing, submit, worker


def lack_of(job_id: str) -> Reason | None:
    found = run(lacks.look(run(queries.get_job(job_id))))
    return found.reason if found else None


def register(name: str, *labels: str, types: tuple[str, ...] = ("audio",)) -> str:
    return run(fleet.register(name=name, types=types, labels=labels)).worker_id


def test_what_is_lacking_ends_when_a_worker_comes_that_can_begin(store):
    job_id = processing(2, order=Order(requires=("gpu", "site=x"))).job_id
    assert lack_of(job_id) is Reason.NO_WORKER
    register("writer", types=("text",))
    assert lack_of(job_id) is Reason.NO_TYPE
    register("half", "gpu")
    assert lack_of(job_id) is Reason.NO_LABELS
    able = register("able", "site=x", "gpu")
    assert lack_of(job_id) is None
    run(fleet.pause(able))
    assert lack_of(job_id) is Reason.ALL_HELD
    run(fleet.resume(able))
    assert lack_of(job_id) is None
    assert claim(able)


@pytest.mark.parametrize("store", ["memory"], indirect=True)
def test_a_worker_that_fell_silent_is_not_there(store, clock):
    job_id = processing(1).job_id
    worker("w1")
    assert lack_of(job_id) is None
    clock.advance(get_conf().worker_online_s + 1)
    assert lack_of(job_id) is Reason.NO_WORKER


def test_a_job_that_has_no_chunks_yet_lacks_nothing(store):
    assert lack_of(submit().job_id) is None


def test_a_job_with_a_chunk_at_work_lacks_nothing_though_its_worker_takes_no_more(store):
    job_id = processing(2).job_id
    (held,) = claim(worker("w1"))
    run(fleet.drain("w1"))
    assert lack_of(job_id) is None
    complete(held)
    assert lack_of(job_id) is Reason.ALL_HELD


@pytest.mark.parametrize("store", ["memory"], indirect=True)
def test_in_a_large_fleet_the_only_one_that_can_is_found(store, monkeypatch):
    monkeypatch.setattr(lacks, "PAGE", 4)
    job_id = processing(1, order=Order(requires=("gpu",))).job_id
    register("a-first", "gpu")
    for number in range(9):
        register(f"w{number}")
    assert lack_of(job_id) is None
    run(fleet.pause("a-first"))
    assert lack_of(job_id) is Reason.ALL_HELD
