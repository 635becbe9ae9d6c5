"""A recording's way through real processes is one trace, in which each span has its place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import recordings
from tests.faults.nodes import Node
from tests.faults.orchard_processes import Orchard, running, wait_for
from tests.tracing.collectors import Collector, Told

CHUNKS = 2
SENDER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
"""The span of a program that uploads, and has traces itself."""
NAMES = ["POST /api/v1/jobs", "job", "purify", "split", *["chunk", "transcribe"] * CHUNKS, "join"]


@pytest.fixture(scope="module")
def spans_of() -> Iterator[Collector]:
    with Collector() as one:
        yield one


@pytest.fixture(scope="module")
def orchard(tmp_path_factory, spans_of: Collector) -> Iterator[Orchard]:
    traced = {"ORCHARD_TRACES": spans_of.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    with running(tmp_path_factory.mktemp("traced") / "data", **traced) as one:
        yield one


@pytest.fixture(scope="module")
def talk(tmp_path_factory) -> Path:
    """Two sentences, so far apart that each is a chunk; a name that nobody is to be told."""
    made = recordings.build([1.0] + [12.0] * (CHUNKS - 1))
    return recordings.write_wav(made.samples, tmp_path_factory.mktemp("talk") / "hush.wav")


def test_web_pipeline_and_agents_tell_one_story(orchard: Orchard, spans_of: Collector, talk: Path):
    orchard.http.headers["traceparent"] = SENDER
    with Node() as hearing:
        orchard.start_agent("ears", *hearing.options)
        job_id = orchard.submit(talk)
        assert orchard.wait(job_id, "completed")["total_chunks"] == CHUNKS
    trace_id, sender_id = SENDER.split("-")[1:3]
    told = wait_for("all spans", lambda: _complete(spans_of.of(trace_id)))
    assert sorted(one.name for one in told) == sorted(NAMES)
    assert spans_of.paths == {"/v1/traces"}
    by_name = {one.name: one for one in told}
    request, job = by_name["POST /api/v1/jobs"], by_name["job"]
    assert (request.parent_id, request.service, request.kind) == (
        sender_id, "orchard-web", "server",
    )  # fmt: skip
    assert request.facts["http.response.status_code"] == 201
    assert job.parent_id == request.span_id
    for name in ("purify", "split", "join"):
        assert (by_name[name].parent_id, by_name[name].service) == (
            job.span_id, "orchard-pipeline",
        )  # fmt: skip
    chunks = [one for one in told if one.name == "chunk"]
    assert {(one.parent_id, one.service) for one in chunks} == {(job.span_id, "orchard-web")}
    heard = [one for one in told if one.name == "transcribe"]
    assert {one.parent_id for one in heard} == {one.span_id for one in chunks}
    assert {(one.service, one.kind) for one in heard} == {("orchard-agent", "consumer")}
    assert [one.name for one in told if one.is_error] == []
    _check_order(told, job)
    assert {one.facts["orchard.job.id"] for one in told if one.name != "transcribe"} == {job_id}
    assert "hush" not in str(told)
    assert "spoken" not in str(told)


def _complete(told: list[Told]) -> list[Told]:
    return told if len(told) >= len(NAMES) else []


def _check_order(told: list[Told], job: Told) -> None:
    """Children are inside their parents in time, and the stages one after the other."""
    by_id = {one.span_id: one for one in told}
    inside = [(one, by_id[one.parent_id]) for one in told if one.name == "transcribe"]
    assert [one.name for one, chunk in inside if one.begun_ns < chunk.begun_ns] == []
    begun = {one.name: one.begun_ns for one in told}
    assert begun["purify"] < begun["split"] < begun["chunk"] < begun["join"]
    assert job.begun_ns < job.ended_ns
