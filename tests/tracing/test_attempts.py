"""Attempts at chunks are told by who takes the report, whether the worker has traces or not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchard import tracing
from orchard.domain.errors import StaleToken
from orchard.services import engine, reports, run, traces
from orchard.tracing import parents
from tests.services import orchards
from tests.tracing.collectors import Collector, Told


@pytest.fixture
def kept(memory_store) -> Iterator[Collector]:
    before = engine.use(memory_store)
    with Collector() as one:
        yield one
    engine.use(before)


def test_each_attempt_has_a_span_of_its_own_that_the_claim_names(kept: Collector):
    with tracing.running("web", kept.url):
        orchards.processing(1)
        orchards.worker("w1")
        (first,) = orchards.claim("w1")
        name, token = orchards.name_of(first), first.chunk.token
        run(reports.fail(name, "w1", token, "no memory for hush.wav", handback=True))
        (second,) = orchards.claim("w1")
        orchards.complete(second)
        orchards.complete(second)  # said again, told once
    failed, done = sorted(_attempts(kept), key=lambda one: not one.is_error)
    assert [one.span_id for one in (failed, done)] == [
        _span_id(traces.of_claim(claimed.job, claimed.chunk)) for claimed in (first, second)
    ]
    assert failed.facts["error.type"] == "handed_back"
    assert (done.is_error, done.facts["orchard.worker.id"]) == (False, "w1")
    assert failed.parent_id == done.parent_id
    assert "hush" not in str(kept.spans)


def test_a_report_that_is_refused_has_no_span(kept: Collector):
    with tracing.running("web", kept.url):
        orchards.processing(1)
        orchards.worker("w1")
        (held,) = orchards.claim("w1")
        with pytest.raises(StaleToken):
            run(reports.fail(orchards.name_of(held), "w1", held.chunk.token + 1, "late"))
    assert _attempts(kept) == []


def _attempts(kept: Collector) -> list[Told]:
    return [one for one in kept.spans if one.name == "chunk"]


def _span_id(traceparent: str) -> str:
    known = parents.parse(traceparent)
    assert known
    return f"{known.span_id:016x}"
