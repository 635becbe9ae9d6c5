"""Dispatchers are killed and stopped under work; another one drives their nodes on, once."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import recordings
from tests.faults.orchard_processes import Orchard, running, wait_for
from tests.nodes import PushNode

CHUNKS = 5
OPTIONS = {
    "ORCHARD_NODE_NETWORKS": "127.0.0.0/8", "ORCHARD_NODE_REST_S": "0.2",
    "ORCHARD_CHUNK_LEASE_S": "60",  # a takeover must not wait for it
}  # fmt: skip
WITHIN_S = 12.0
"""A dead dispatcher's nodes are driven on after its lease of 5 s; the rest is a busy machine's."""


@pytest.fixture(scope="module")
def orchard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orchard]:
    with running(tmp_path_factory.mktemp("dispatchers") / "data", **OPTIONS) as one:
        yield one


@pytest.fixture
def nodes(orchard: Orchard) -> Iterator[list[PushNode]]:
    """Two nodes of the fleet, whose answers wait until a test lets them go."""
    with ExitStack() as stack:
        found = [stack.enter_context(PushNode("gated")) for _ in range(2)]
        for one in found:
            answer = orchard.http.post("/workers/add", json={"url": one.url})
            assert answer.json() == {"id": one.worker_id, "url": one.url, "status": "online"}
        yield found
        for one in found:
            one.gate.set()
            orchard.http.post("/workers/remove", json={"url": one.url}).raise_for_status()
        for name in set(orchard.processes) - {"web", "pipeline"}:
            orchard.kill(name)
            # Shown when a test fails.
            sys.stdout.write(f"--- {name}\n{orchard.log(name).read_text()[-4000:]}\n")
            orchard.log(name).unlink()


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sentences so far apart that each is a chunk."""
    made = recordings.build([1.0] + [12.0] * (CHUNKS - 1))
    return recordings.write_wav(made.samples, tmp_path_factory.mktemp("talk") / "talk.wav")


def start(orchard: Orchard, name: str, *options: str) -> None:
    orchard.launch(
        name, "manage.py", "dispatch", *options,
        DJANGO_SETTINGS_MODULE="orchard.background_settings",
    )  # fmt: skip


def held_by(orchard: Orchard, name: str) -> int:
    """How many nodes a dispatcher drives."""
    pid = f":{orchard.processes[name].pid}:".encode()
    found = [orchard.engine.get(key) for key in orchard.engine.scan_iter("lease:node:*")]
    return len([holder for holder in found if holder and pid in holder])


def test_a_killed_dispatcher_is_replaced_in_seconds_and_nothing_is_done_twice(orchard, nodes, talk):
    start(orchard, "first")
    wait_for("the first to drive both", lambda: held_by(orchard, "first") == 2)
    job_id = orchard.submit(talk)
    wait_for("both nodes to listen", lambda: all(one.asked for one in nodes))
    start(orchard, "second")
    wait_for("the second to be there", lambda: orchard.engine.zcard("index:dispatchers") == 2)
    orchard.kill("first")
    began = time.monotonic()
    for one in nodes:
        one.gate.set()
    wait_for("the second to drive both", lambda: held_by(orchard, "second") == 2)
    assert time.monotonic() - began < WITHIN_S
    orchard.wait(job_id, "completed")
    orchard.check_counts(job_id)
    # The two that were under way were sent once more, and nothing else was.
    assert sum(len(one.asked) for one in nodes) == CHUNKS + 2
    assert {chunk["attempts"] for chunk in orchard.job(job_id)["chunks"]} == {1}


def test_two_dispatchers_have_one_request_at_a_time_with_each_node(orchard, nodes, talk):
    for name in ("first", "second"):
        start(orchard, name)
    wait_for(
        "fair shares",
        lambda: (held_by(orchard, "first"), held_by(orchard, "second")) == (1, 1),
    )
    for one in nodes:
        one.gate.set()
    jobs = [orchard.submit(talk) for _ in range(2)]
    for job_id in jobs:
        orchard.wait(job_id, "completed")
        orchard.check_counts(job_id)
    assert [one.most_at_once for one in nodes] == [1, 1]
    assert sum(len(one.asked) for one in nodes) == 2 * CHUNKS


def test_a_dispatcher_asked_to_stop_hands_back_what_is_not_done_in_time(orchard, nodes, talk):
    start(orchard, "hurried", "--grace", "0.2")
    job_id = orchard.submit(talk)
    wait_for("both nodes to listen", lambda: all(one.asked for one in nodes))
    assert orchard.terminate("hurried") == 0
    chunks = orchard.job(job_id)["chunks"]
    assert {chunk["status"] for chunk in chunks} == {"waiting"}
    assert orchard.engine.keys("lease:node:*") == []
    assert orchard.engine.zcard("index:dispatchers") == 0
    for one in nodes:
        one.gate.set()
    start(orchard, "next")
    orchard.wait(job_id, "completed")
    orchard.check_counts(job_id)


def test_a_dispatcher_goes_on_when_the_web_server_dies(orchard, nodes, talk):
    start(orchard, "only")
    job_id = orchard.submit(talk)
    wait_for("a node to listen", lambda: any(one.asked for one in nodes))
    orchard.kill("web")
    for one in nodes:
        one.gate.set()
    wait_for("the job", lambda: orchard.record(job_id)["status"] == "completed")
    orchard.start_web()
    orchard.check_counts(job_id)


def test_a_dead_node_is_shown_and_its_work_is_done_by_the_other(orchard, nodes, talk):
    doomed, other = nodes
    doomed.manner = "dying"
    start(orchard, "only")
    job_id = orchard.submit(talk)
    wait_for("both nodes to listen", lambda: all(one.asked for one in nodes))
    other.gate.set()
    orchard.wait(job_id, "completed")
    orchard.check_counts(job_id)
    assert other.answered == CHUNKS
    told = orchard.workers()[doomed.worker_id]["node"]
    assert told["condition"] == "breaking"
    assert told["reason"].startswith("it broke the connection off")
