"""Figures of the fleet, over every kind of store."""

from __future__ import annotations

from orchard.domain.lifecycle import JobStatus
from orchard.services import dispatch, figures, run
from tests.services import orchards


def test_an_empty_fleet_has_no_ages(store):
    found = run(figures.get_figures())
    assert (found.oldest_job_s, found.oldest_stage_s, found.last_sample) == ({}, None, None)
    assert (found.dispatchers, found.workers) == (0, [])


def test_a_fleet_at_work_is_told_as_it_is(store):
    orchards.processing(3)
    orchards.submit()
    for name in ("w1", "w2"):
        orchards.worker(name)
    run(dispatch.sign_in("d1"))
    run(dispatch.sign_in("d2"))
    run(dispatch.sign_out("d1"))
    orchards.complete(orchards.claim("w1")[0])
    found = run(figures.get_figures())
    assert found.oldest_job_s.keys() == {JobStatus.CREATED, JobStatus.PROCESSING}
    assert all(0 <= age_s < 60 for age_s in found.oldest_job_s.values())
    assert found.oldest_stage_s == found.oldest_job_s["created"]
    assert (found.load.waiting_chunks, found.dispatchers) == (2, 1)
    quick, unmeasured = found.workers or []
    assert figures.pace_of(quick) == quick.performance_history[0].speed_ratio
    assert figures.pace_of(unmeasured) is None
