"""Processes are killed in the middle of their work; whoever is left finishes it, once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import recordings
from tests.faults.nodes import Node
from tests.faults.orchard_processes import PATIENCE_S, Orchard, running, wait_for

CHUNKS = 3


@pytest.fixture(scope="module")
def orchard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orchard]:
    with running(tmp_path_factory.mktemp("deaths") / "data") as one:
        yield one


@pytest.fixture
def hearing() -> Iterator[Node]:
    """What the agents hear with, held until a test lets it go."""
    with Node() as one:
        one.gate.clear()
        yield one


@pytest.fixture(autouse=True)
def _no_agents_left(orchard: Orchard) -> Iterator[None]:
    """Every test begins with web server and pipeline alone."""
    yield
    for name in set(orchard.processes) - {"web", "pipeline"}:
        orchard.kill(name)
    for name in orchard.workers():
        orchard.http.delete(f"/api/v1/workers/{name}")
    if "pipeline" not in orchard.processes:
        orchard.start_pipeline()
    if "web" not in orchard.processes:
        orchard.start_web()


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sentences, so far apart that each is a chunk."""
    made = recordings.build([1.0] + [12.0] * (CHUNKS - 1))
    return recordings.write_wav(made.samples, tmp_path_factory.mktemp("talk") / "talk.wav")


@pytest.fixture(scope="module")
def long_talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six minutes, so that each stage takes a while."""
    made = recordings.build([20.0, 1.0, 40.0])
    folder = tmp_path_factory.mktemp("long")
    times = 360_000 // made.duration_ms
    return recordings.write_wav(made.samples, folder / "long.wav", times=times)


def started(orchard: Orchard, job_id: str, worker: str) -> None:
    """Wait until the worker has a chunk of the job."""

    def look() -> list[object]:
        chunks = orchard.job(job_id)["chunks"]
        return [one for one in chunks if one["status"] == "running" and worker in str(one)]

    wait_for(f"{worker} to have a chunk", look)


def test_the_chunk_of_a_killed_agent_is_done_by_another_and_counts_once(orchard, hearing, talk):
    orchard.start_agent("doomed", *hearing.options)
    job_id = orchard.submit(talk)
    started(orchard, job_id, "doomed")
    orchard.kill("doomed")
    hearing.gate.set()
    orchard.start_agent("heir", *hearing.options)
    job = orchard.wait(job_id, "completed")
    assert job["total_chunks"] == CHUNKS
    orchard.check_counts(job_id)


def test_an_agent_killed_and_started_again_under_its_name_goes_on(orchard, hearing, talk):
    orchard.start_agent("phoenix", *hearing.options)
    job_id = orchard.submit(talk)
    started(orchard, job_id, "phoenix")
    orchard.kill("phoenix")
    hearing.gate.set()
    orchard.start_agent("phoenix", *hearing.options)
    orchard.wait(job_id, "completed")
    orchard.check_counts(job_id)


@pytest.mark.parametrize(("stage", "purifier"), [("purifying", "true"), ("splitting", "false")])
def test_a_pipeline_killed_in_a_stage_is_replaced(orchard, hearing, long_talk, stage, purifier):
    hearing.gate.set()
    orchard.start_agent("listener", *hearing.options)
    job_id = orchard.submit(long_talk, purifier=purifier)
    wait_for(stage, lambda: orchard.record(job_id)["status"] == stage)
    orchard.kill("pipeline")
    assert orchard.record(job_id)["status"] == stage
    orchard.start_pipeline()
    orchard.wait(job_id, "completed")
    assert orchard.record(job_id)["total_chunks"] > 1
    orchard.check_counts(job_id)
    told = [one["status"] for one in orchard.events(job_id) if one["name"] == "job.advanced"]
    assert told.count("processing") == 1


def test_a_pipeline_asked_to_stop_hands_its_stage_back(orchard, hearing, long_talk):
    hearing.gate.set()
    orchard.start_agent("listener", *hearing.options)
    job_id = orchard.submit(long_talk, purifier="true")
    wait_for("purifying", lambda: orchard.record(job_id)["status"] == "purifying")
    assert orchard.terminate("pipeline") == 0
    assert orchard.engine.zrange("leases:stages", 0, -1) == []
    orchard.start_pipeline()
    orchard.wait(job_id, "completed")
    orchard.check_counts(job_id)


def test_agents_outlive_the_web_server_and_their_results_are_accepted(orchard, hearing, talk):
    orchard.start_agent("patient", *hearing.options)
    job_id = orchard.submit(talk)
    started(orchard, job_id, "patient")
    orchard.kill("web")
    hearing.gate.set()  # the agent has its result while nobody listens
    wait_for("its report to fail", lambda: "master is away" in orchard.log("patient").read_text())
    orchard.start_web()
    orchard.wait(job_id, "completed")
    assert orchard.processes["patient"].poll() is None
    orchard.check_counts(job_id)


def test_an_agent_asked_to_stop_finishes_its_chunk_and_leaves(orchard, hearing, talk):
    orchard.start_agent("polite", *hearing.options)
    job_id = orchard.submit(talk)
    wait_for("the agent to listen", lambda: hearing.asked)
    orchard.processes["polite"].terminate()
    hearing.gate.set()
    assert orchard.processes.pop("polite").wait(PATIENCE_S) == 0
    assert "polite" not in orchard.workers()
    assert orchard.job(job_id)["completed_chunks"] == 1
    orchard.start_agent("next", *hearing.options)
    orchard.wait(job_id, "completed")
    orchard.check_counts(job_id)


def test_an_agent_without_time_to_finish_hands_its_chunk_back(orchard, hearing, talk):
    orchard.start_agent("hurried", *hearing.options, "--grace", "0.1")
    job_id = orchard.submit(talk)
    started(orchard, job_id, "hurried")
    assert orchard.terminate("hurried") == 0
    assert "hurried" not in orchard.workers()
    chunks = orchard.job(job_id)["chunks"]
    assert {one["status"] for one in chunks} == {"waiting"}
    hearing.gate.set()
    orchard.start_agent("unhurried", *hearing.options)
    orchard.wait(job_id, "completed")
    orchard.check_counts(job_id)


def test_an_idle_agent_asked_to_stop_leaves_at_once(orchard, hearing):
    orchard.start_agent("idle", *hearing.options)
    wait_for("the agent to join", lambda: "idle" in orchard.workers())
    start = time.monotonic()
    assert orchard.terminate("idle") == 0
    assert time.monotonic() - start < 10  # a claim waits for 20 s
    assert "idle" not in orchard.workers()


def test_a_report_after_the_lease_was_taken_over_is_refused_and_names_the_holder(orchard, talk):
    job_id = orchard.submit(talk)
    stale = orchard.claim("slow")

    def taken() -> dict[str, object] | None:
        held = orchard.claim("quick")
        assert orchard.complete("quick", held, "quick words").status_code == 200
        return held if held["chunk_id"] == stale["chunk_id"] else None

    wait_for("the chunk to fall to another", taken)
    answer = orchard.complete("slow", stale, "late words")
    assert answer.status_code == 409
    assert answer.json()["code"] == "stale_token"
    assert answer.json()["holder"] == "quick"
    orchard.wait(job_id, "completed")
    assert "late" not in orchard.transcript(job_id, "txt").text
    orchard.check_counts(job_id)
