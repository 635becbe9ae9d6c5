"""Each attempt at a delivery is told to the collector of traces, inside the span of its job."""

from __future__ import annotations

import pytest

from orchard import tracing
from orchard.services import run, submissions, traces
from orchard.tracing import parents
from orchard.webhooks import endpoints
from tests.services import orchards
from tests.tracing.collectors import Collector

pytestmark = pytest.mark.usefixtures("store")


def told(kept: Collector):
    """The spans of attempts, in their order."""
    return sorted(
        (one for one in kept.spans if one.name == "webhook"), key=lambda one: one.begun_ns
    )


def test_each_attempt_is_a_span_inside_that_of_its_job(post, receiver):
    receiver.script = ["503", "200"]
    made, _ = endpoints.create(f"{receiver.url}?key=hush", types=["job.created"])
    with Collector() as kept:
        with tracing.running("pipeline", kept.url):
            job = orchards.submit()
            post.settle()
            post.later(2_000)
            parent = parents.parse(run(traces.find_parent(job.job_id)))
        failed, heard = told(kept)
        assert parent
        for number, one in enumerate((failed, heard), 1):
            assert (one.trace_id, one.parent_id) == (
                f"{parent.trace_id:032x}", f"{parent.span_id:016x}",
            )  # fmt: skip
            assert (one.service, one.kind) == ("orchard-pipeline", "client")
            assert one.facts["orchard.webhook.id"] == made.uid
            assert one.facts["orchard.webhook.attempt"] == number
            assert one.facts["orchard.job.id"] == job.job_id
            assert one.ended_ns >= one.begun_ns
        assert (failed.is_error, failed.facts["error.type"]) == (True, "503")
        assert (heard.is_error, heard.facts["http.response.status_code"]) == (False, 200)
        assert "hush" not in str(kept.spans)
        assert "talk.wav" not in str(kept.spans)


def test_an_attempt_without_a_job_has_a_trace_of_its_own(post, receiver):
    made, _ = endpoints.create(receiver.url)
    receiver.manner = "cut"
    with Collector() as kept:
        with tracing.running("pipeline", kept.url):
            endpoints.send_test(made.uid)
            post.settle()
        (one,) = told(kept)
        assert (one.parent_id, one.facts["error.type"]) == ("", "unheard")
        assert "orchard.job.id" not in one.facts


def test_a_job_without_a_trace_is_told_of_in_one_of_its_own(post, receiver):
    endpoints.create(receiver.url, types=["job.cancelled"])
    job_id = orchards.submit().job_id
    with Collector() as kept:
        with tracing.running("pipeline", kept.url):
            run(submissions.cancel(job_id))
            post.settle()
        (one,) = told(kept)
        assert (one.parent_id, one.facts["orchard.job.id"]) == ("", job_id)


def test_without_traces_nothing_is_looked_up(post, receiver, monkeypatch):
    asked = []
    monkeypatch.setattr(traces, "find_parent", lambda job_id: asked.append(job_id))
    endpoints.create(receiver.url, types=["job.created"])
    orchards.submit()
    post.settle()
    assert [heard.type for heard in receiver.heard] == ["job.created"]
    assert asked == []
