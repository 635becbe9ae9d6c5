"""Spans of one process: whose children they are, what they say, and whom they never hold up."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from orchard import codec, tracing
from orchard.domain.jobs import Job
from orchard.services import engine, run, submissions
from orchard.tracing import get_spans, parents
from tests.tracing.collectors import Collector

AT = datetime(2026, 11, 21, tzinfo=UTC)
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def kept() -> Iterator[Collector]:
    with Collector() as one:
        yield one


@pytest.fixture
def store(memory_store):
    before = engine.use(memory_store)
    yield memory_store
    engine.use(before)


@pytest.mark.parametrize(
    "wrong",
    [
        "", "nothing", PARENT.upper(), PARENT[:-1], f"{PARENT}-more", PARENT.replace("00-", "ff-"),
        f"00-{'0' * 32}-b7ad6b7169203331-01", f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01",
    ],
)  # fmt: skip
def test_what_is_no_traceparent_is_no_parent(wrong):
    assert parents.parse(wrong) is None
    assert parents.named(wrong, "job") == ""


def test_a_span_that_is_named_is_the_same_wherever_it_is_named():
    job, chunk = parents.named(PARENT, "job", 0), parents.named(PARENT, "job_chunk_0", 1)
    assert job == parents.named(PARENT, "job", 0)
    assert len({PARENT, job, chunk, parents.named(PARENT, "job", 1)}) == 4
    assert {one[:36] for one in (PARENT, job, chunk)} == {PARENT[:36]}


def test_without_the_setting_a_job_has_no_trace(store):
    assert get_spans() is None
    job = _submit()
    assert job.trace == ""
    assert b"trace" not in codec.encode_job(job)


def test_a_trace_that_is_not_to_be_kept_is_carried_and_not_sent(store, kept, monkeypatch):
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    with tracing.running("web", kept.url):
        job = _submit()
        run(submissions.cancel(job.job_id))
    assert job.trace.endswith("-00")
    assert kept.spans == []


def test_a_job_that_did_not_come_by_http_begins_a_trace_of_its_own(store, kept):
    with tracing.running("web", kept.url):
        job = _submit()
        run(submissions.cancel(job.job_id))
    told = {one.name: one for one in kept.of(job.trace.split("-")[1])}
    created, ended = told["create job"], told["job"]
    assert (created.kind, created.parent_id) == ("producer", "")
    assert ended.parent_id == created.span_id
    assert (ended.is_error, ended.facts["error.type"]) == (True, "cancelled")


def test_of_a_fault_its_type_is_told_and_not_its_words(kept):
    with (
        tracing.running("pipeline", kept.url),
        pytest.raises(ValueError, match="secret"),
        get_spans().open("split", {}, parent=PARENT),
    ):
        raise ValueError("secret.wav")
    (told,) = kept.spans
    assert (told.is_error, told.facts) == (True, {"error.type": "ValueError"})
    assert f"{told.trace_id}-{told.parent_id}" in PARENT


def test_a_collector_that_does_not_answer_holds_up_nobody(kept, monkeypatch):
    """More spans than the queue takes are made; the end of the process waits for none of them."""
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "600")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    kept.gate.clear()
    made = 0
    with tracing.running("web", kept.url):
        for number in range(2_000):
            with get_spans().open("split", {"number": number}):
                made += 1
    assert made == 2_000
    assert kept.spans == []


def test_the_variables_of_opentelemetry_hold(kept, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", kept.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "transcripts")
    with tracing.running("web", "otel"):
        begun = AT + timedelta(microseconds=1)
        get_spans().note("job", {}, itself=parents.named(PARENT, "job"), parent=PARENT,
                         begun=begun, ended=AT + timedelta(seconds=2))  # fmt: skip
    (told,) = kept.spans
    assert told.service == "transcripts"
    assert told.span_id == parents.parse(parents.named(PARENT, "job")).span_id.to_bytes(8).hex()
    assert told.ended_ns - told.begun_ns == 1_999_999_000


def test_without_the_packages_a_process_works_on_and_says_so():
    words = (
        "import sys, logging; logging.basicConfig(); sys.modules['opentelemetry'] = None\n"
        "from orchard import tracing\n"
        "with tracing.running('web', 'http://collector:4318'): print(tracing.get_spans())"
    )
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, timeout=60)
    assert done.stdout == "None\n"
    assert "pip install -r requirements-tracing.txt" in done.stderr


def _submit() -> Job:
    return run(
        submissions.create(
            "hush.wav", "uploads/hush.wav", 9, owner="ann", use_purifier=False
        )
    )  # fmt: skip
