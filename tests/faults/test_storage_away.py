"""The storage of recordings goes away under work: jobs wait for it and then complete."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import recordings
from tests.faults.nodes import Node
from tests.faults.orchard_processes import Orchard, running, wait_for
from tests.storage_servers import StorageServer, storage_server

CHUNKS = 3


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StorageServer]:
    with storage_server(tmp_path) as one:
        yield one


@pytest.fixture
def hearing() -> Iterator[Node]:
    """What the agents hear with, held until a test lets it go."""
    with Node() as one:
        one.gate.clear()
        yield one


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Sentences so far apart that each is a chunk."""
    made = recordings.build([1.0] + [12.0] * (CHUNKS - 1))
    return recordings.write_wav(made.samples, tmp_path / "talk.wav")


def test_jobs_wait_for_a_storage_that_is_away_and_fail_for_nothing(
    tmp_path, storage, hearing, talk
):
    with running(tmp_path / "data", **storage.options) as orchard:
        orchard.start_agent("patient", *hearing.options)
        job_id = orchard.submit(talk)
        wait_for("the agent to listen", lambda: hearing.asked)
        orchard.terminate("pipeline")
        late = orchard.submit(talk)
        storage.kill()
        check_refusals(orchard, late, talk)
        orchard.start_pipeline()
        hearing.gate.set()
        told = "storage of recordings is away"
        wait_for("the pipeline to notice", lambda: told in orchard.log("pipeline").read_text())
        storage.start()
        for one in (job_id, late):
            orchard.wait(one, "completed")
            orchard.check_counts(one)
            assert orchard.transcript(one, "txt").text.count("spoken words") == CHUNKS
        # An absence of the storage costs no attempt, however often one looks whether it is back.
        assert "(attempt 2)" not in orchard.log("pipeline").read_text()
        assert list((orchard.data / "media").rglob("*.wav")) == []


def check_refusals(orchard: Orchard, job_id: str, talk: Path) -> None:
    """Whoever needs sound is told when to come again; everything else goes on."""
    answers = [
        orchard.http.post("/api/v1/jobs", files={"file": ("talk.wav", talk.read_bytes())}),
        orchard.http.post("/submit", files={"file": ("talk.wav", talk.read_bytes())}),
    ]
    told = [(one.status_code, int(one.headers.get("Retry-After", 0)) > 0) for one in answers]
    assert told == [(503, True)] * len(answers), answers[0].text
    assert orchard.job(job_id)["status"] in ("created", "purifying", "splitting")
    assert orchard.http.get("/readyz").status_code == 200
