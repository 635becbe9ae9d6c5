"""Quotas: how many jobs an owner has in work, and how many hours of sound in a day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchard import keys
from orchard.conf import get_conf
from orchard.domain.errors import QuotaExceeded
from orchard.services import limits, quotas, run, submissions
from statecore.store import ops
from tests.services.orchards import processing, submit


@pytest.fixture(autouse=True)
def settings(monkeypatch):
    """Two jobs, and twenty minutes of sound, for each owner."""
    monkeypatch.setenv("ORCHARD_QUOTA_JOBS", "2")
    monkeypatch.setenv("ORCHARD_QUOTA_AUDIO_HOURS", "0.33")
    for cached in (get_conf, limits.keeping):
        cached.cache_clear()
    yield monkeypatch
    monkeypatch.undo()
    for cached in (get_conf, limits.keeping):
        cached.cache_clear()


def refusal(owner: str = "ann", key: str = "") -> str:
    try:
        run(quotas.check(owner, key))
    except QuotaExceeded as refused:
        return str(refused.facts["quota"])
    return ""


def test_an_owner_may_have_so_many_jobs_in_work_and_others_as_many(store):
    first, _ = submit(), submit()
    assert (refusal(), refusal("ben")) == ("jobs", "")
    run(submissions.cancel(first.job_id))
    assert refusal() == ""


def test_a_job_that_is_begun_again_counts_again(store):
    from orchard.services import pipeline

    job = submit()
    held = run(pipeline.claim_stage("p1"))
    run(pipeline.fail_stage(job.job_id, held.stage.token, "noise", retry=False))
    submit()
    assert refusal() == ""
    run(submissions.retry(job.job_id))
    assert refusal() == "jobs"


def test_a_job_that_somebody_deleted_by_hand_does_not_count_for_ever(store):
    jobs = [submit(), submit()]
    assert refusal() == "jobs"
    store.commit({}, (ops.Delete((keys.job(jobs[0].job_id),)),))
    assert refusal() == ""
    assert store.read(ops.Count(keys.jobs_of("ann"))) == [1]


def test_a_request_that_is_repeated_passes(store):
    submit(idempotency_key="k")
    submit()
    assert (refusal(key="k"), refusal(key="other")) == ("", "jobs")


def test_hours_count_once_and_until_the_day_is_over(store, request):
    settings = request.getfixturevalue("settings")
    settings.setenv("ORCHARD_QUOTA_JOBS", "0")
    get_conf.cache_clear()
    processing(1)  # ten minutes
    assert refusal() == ""
    processing(1)
    assert (refusal(), refusal("ben")) == ("audio_hours", "")


def test_the_next_day_begins_with_nothing(memory_store, clock):
    from orchard.services import engine

    before = engine.use(memory_store)
    try:
        for _ in range(2):
            processing(1, owner="cat")
        for job_id in [name for name, _ in memory_store.scan_index(keys.JOBS, 10)]:
            run(submissions.cancel(job_id))
        assert refusal("cat") == "audio_hours"
        clock.advance(timedelta(days=1).total_seconds())
        assert refusal("cat") == ""
        assert memory_store.read(ops.Count(keys.audio_of("cat"))) == [0]
    finally:
        engine.use(before)


def test_without_quotas_nothing_is_counted(store, request):
    settings = request.getfixturevalue("settings")
    settings.delenv("ORCHARD_QUOTA_JOBS")
    settings.delenv("ORCHARD_QUOTA_AUDIO_HOURS")
    for cached in (get_conf, limits.keeping):
        cached.cache_clear()
    for _ in range(3):
        processing(1)
    assert refusal() == ""
    counted = [ops.Count(key("ann")) for key in (keys.jobs_of, keys.audio_of)]
    assert store.read(*counted) == [0, 0]
