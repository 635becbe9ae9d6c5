"""An agent that hangs holds up no recording: another does its chunk, long before its lease ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import recordings
from tests.faults.nodes import Node
from tests.faults.orchard_processes import Orchard, running, wait_for

LEASE_S = 600.0
"""Nobody waits for so long here: what ends in time did not end because a lease ran out."""


@pytest.fixture
def orchard(tmp_path: Path) -> Iterator[Orchard]:
    with running(tmp_path / "data", ORCHARD_CHUNK_LEASE_S=f"{LEASE_S:g}") as one:
        yield one


@pytest.fixture
def well() -> Iterator[Node]:
    with Node() as one:
        yield one


@pytest.fixture
def stuck() -> Iterator[Node]:
    """What an agent hears with that hangs until the test lets it go."""
    with Node() as one:
        one.gate.clear()
        yield one


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Three sentences, so far apart that each is a chunk."""
    made = recordings.build([1.0, 12.0, 12.0])
    return recordings.write_wav(made.samples, tmp_path / "talk.wav")


def direct(orchard: Orchard, worker: str, order: str) -> None:
    orchard.http.post(f"/api/v1/workers/{worker}/{order}").raise_for_status()


def held_by(orchard: Orchard, job_id: str, worker: str) -> list[dict[str, object]]:
    chunks = orchard.job(job_id)["chunks"]
    return [one for one in chunks if worker in str(one) and one["status"] == "running"]


def test_the_chunk_of_an_agent_that_hangs_is_done_by_another_and_counts_once(
    orchard, well, stuck, talk
):
    orchard.start_agent("well", *well.options)
    orchard.wait(orchard.submit(talk), "completed")  # now it is known how fast it is
    direct(orchard, "well", "pause")
    orchard.start_agent("stuck", *stuck.options)
    job_id = orchard.submit(talk)
    (held,) = wait_for("the chunk to hang", lambda: held_by(orchard, job_id, "stuck"))
    direct(orchard, "well", "resume")

    done = orchard.wait(job_id, "completed", patience_s=LEASE_S / 5)
    record = orchard.record(job_id)
    assert not stuck.gate.is_set()
    (copied,) = [one for one in done["chunks"] if one["chunk_id"] == held["chunk_id"]]
    assert copied["worker_url"] == "agent://well"
    assert [one["worker_id"] for one in copied["superseded"]] == ["stuck"]
    assert copied["attempts"] == 1  # it did not fail

    stuck.gate.set()  # the late result comes after all
    told = wait_for("the late result", lambda: late_words(orchard))
    assert "ERROR" not in told
    assert "WARNING" not in told
    assert orchard.record(job_id) == record
    orchard.check_counts(job_id)
    assert orchard.processes["stuck"].poll() is None
    wait_for("its record", lambda: not orchard.workers()["stuck"]["pending_chunks"])


def late_words(orchard: Orchard) -> str:
    """All that the agent has written down, once it has handed in what nobody needs."""
    told = orchard.log("stuck").read_text()
    return told if "was done by somebody else" in told or "is with somebody else" in told else ""
