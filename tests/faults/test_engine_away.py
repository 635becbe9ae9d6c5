"""The engine goes away while everything runs: a clear answer meanwhile, and nothing is lost."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import recordings
from tests.conftest import EngineServer
from tests.faults.nodes import Node
from tests.faults.orchard_processes import Orchard, running, wait_for


@pytest.fixture
def hearing() -> Iterator[Node]:
    """What the agents hear with, held until a test lets it go."""
    with Node() as one:
        one.gate.clear()
        yield one


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sentences, so far apart that each is a chunk."""
    made = recordings.build([1.0, 12.0, 12.0])
    return recordings.write_wav(made.samples, tmp_path_factory.mktemp("talk") / "talk.wav")


def is_ready(orchard: Orchard) -> bool:
    return orchard.http.get("/readyz").status_code == 200


def a_running_job(orchard: Orchard, hearing: Node, talk: Path) -> str:
    """A job with one chunk at an agent that hears as soon as the node lets it."""
    orchard.start_agent("patient", *hearing.options)
    job_id = orchard.submit(talk)
    wait_for("the agent to listen", lambda: hearing.asked)
    return job_id


def test_while_the_engine_is_away_requests_get_503_and_all_goes_on_after(
    tmp_path, own_engine_server: EngineServer, hearing, talk
):
    with running(tmp_path / "data", ORCHARD_STORE=own_engine_server.url) as orchard:
        job_id = a_running_job(orchard, hearing, talk)
        own_engine_server.kill()
        check_refusals(orchard, talk)
        hearing.gate.set()  # the agent has its result while the engine is away
        wait_for("a report in vain", lambda: "answered 503" in orchard.log("patient").read_text())
        own_engine_server.start()
        wait_for("the site to be ready", lambda: is_ready(orchard))
        orchard.wait(job_id, "completed")
        orchard.check_counts(job_id)
        assert {name: one.poll() for name, one in orchard.processes.items()} == {
            "web": None, "pipeline": None, "patient": None,
        }  # fmt: skip


def check_refusals(orchard: Orchard, talk: Path) -> None:
    """Every answer says that it is not the sender's fault, and when to come again."""
    answers = [
        orchard.http.get("/stats"),
        orchard.http.get("/jobs"),
        orchard.http.get("/api/v1/workers"),
        orchard.http.get("/readyz"),
        orchard.http.post("/submit", files={"file": ("talk.wav", talk.read_bytes())}),
        orchard.http.post("/api/v1/workers", json={"name": "new", "mode": "pull"}),
    ]
    told = [(one.status_code, int(one.headers.get("Retry-After", 0)) > 0) for one in answers]
    assert told == [(503, True)] * len(answers)
    for one in answers:
        assert {"error", "reason"} & set(one.json())
    assert orchard.http.get("/healthz").status_code == 200


def test_a_killed_embedded_engine_is_started_again_and_nothing_is_lost(tmp_path, hearing, talk):
    with running(tmp_path / "data") as orchard:
        job_id = a_running_job(orchard, hearing, talk)
        done = orchard.submit(talk)
        before = orchard.record(done)
        first = orchard.engine_pid()
        os.kill(first, signal.SIGKILL)
        wait_for("another engine", lambda: is_ready(orchard) and orchard.engine_pid() != first)
        assert orchard.record(done)["created_at"] == before["created_at"]
        hearing.gate.set()
        for one in (job_id, done):
            orchard.wait(one, "completed")
            orchard.check_counts(one)


def test_an_engine_that_hangs_for_a_moment_costs_nothing(tmp_path, hearing, talk):
    with running(tmp_path / "data") as orchard:
        job_id = a_running_job(orchard, hearing, talk)
        pid = orchard.engine_pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            answer = orchard.http.get("/readyz")
            assert (answer.status_code, json.loads(answer.text)["status"]) == (503, "not ready")
        finally:
            os.kill(pid, signal.SIGCONT)
        wait_for("the site to be ready", lambda: is_ready(orchard))
        hearing.gate.set()
        orchard.wait(job_id, "completed")
        orchard.check_counts(job_id)
        assert orchard.engine_pid() == pid
