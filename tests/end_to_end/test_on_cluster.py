"""A whole installation on an engine of several machines: the same code, told by one setting."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from tests.clusters import ClusterEngine
from tests.recordings import build, write_wav
from tests.web.browsers import Orchard

pytestmark = pytest.mark.slow
CHUNKS = 3


@pytest.fixture(scope="module")
def orchard(
    cluster_engine: ClusterEngine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Orchard]:
    for node in cluster_engine.first:
        node.client.flushall()
    orchard = Orchard(tmp_path_factory.mktemp("orchard"), cluster_engine.url)
    orchard.start()
    orchard.start_workers()
    yield orchard
    orchard.stop_workers()
    orchard.stop()


def names(engine: ClusterEngine) -> list[str]:
    clients: list[redis.Redis] = [node.client for node in engine.first]
    return [key.decode() for client in clients for key in client.scan_iter(count=1000)]


@pytest.fixture(scope="module")
def jobs(orchard: Orchard, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Recordings that were handed in, and are written down."""
    sound, folder = build([1.0] + [11.0] * (CHUNKS - 1)).samples, tmp_path_factory.mktemp("sound")
    paths = [write_wav(sound, folder / f"talk {n}.wav") for n in range(4)]
    jobs = [orchard.submit(path) for path in paths]
    stop = time.monotonic() + 180
    while orchard.client.get("/stats").json()["jobs"]["completed"] < len(jobs):
        assert time.monotonic() < stop
        time.sleep(0.2)
    return jobs


def test_recordings_are_written_down_by_jobs_of_many_partitions(
    orchard: Orchard, cluster_engine: ClusterEngine, jobs: list[str]
):
    for job_id in jobs:
        text = orchard.client.get(f"/api/v1/jobs/{job_id}/transcript.txt").text.lower()
        assert "john dashwood had then leisure" in text
    listed = orchard.client.get("/api/v1/jobs").json()
    assert [one["job_id"] for one in listed["jobs"]] == jobs[::-1]
    found = [name for name in names(cluster_engine) if "job:" in name]
    assert len({name.partition("}")[0] for name in found}) > 1
    untagged = [name for name in names(cluster_engine) if not name.startswith("{p")]
    assert sorted(untagged) == ["partitions", "schema"]


def test_events_of_all_partitions_come_in_their_order_and_from_any_cursor(
    orchard: Orchard, jobs: list[str]
):
    seen: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = orchard.client.get("/api/v1/events", params={"cursor": cursor}).json()
        if not answer["events"]:
            break
        seen += answer["events"]
        cursor = answer["cursor"]
    completed = [one for one in seen if one["name"] == "chunk.completed"]
    assert len(completed) == CHUNKS * len(jobs)
    for job_id in {one["job_id"] for one in completed}:
        own = [one["name"] for one in seen if one.get("job_id") == job_id]
        assert own[0] == "job.created"


def test_issues_and_state_work_beside_them(orchard: Orchard):
    issue = "/api/v1/issues/7"
    held = orchard.client.post(f"{issue}/checkout", json={"process_id": "a", "task_type": "t"})
    assert held.status_code == 200
    refused = orchard.client.post(f"{issue}/checkout", json={"process_id": "b", "task_type": "t"})
    assert (refused.status_code, refused.json()["holder"]) == (409, "a")
    changes = [{"namespace": name, "key": "k", "value": name} for name in ("one", "two")]
    answer = orchard.client.patch("/api/v1/state", json={"changes": changes})
    assert answer.status_code == 200, answer.text
    assert orchard.client.get("/api/v1/state/two/k").json() == "two"
