"""CONTRACTS section 5, path by path."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from orchard import keys
from orchard.domain.lifecycle import JobStatus
from orchard.domain.timeline import ChunkResult, Line
from orchard.domain.transcripts import make_result
from orchard.ports import recordings
from orchard.services import pipeline, queries, reports, run
from statecore.store import ops
from tests.api.fixtures import post_json, wav
from tests.nodes import PushNode
from tests.services.orchards import claim, complete, name_of, processing, submit, worker

JOB = [
    "job_id", "filename", "status", "total_chunks", "completed_chunks", "created_at",
    "updated_at", "chunks",
]  # fmt: skip
CHUNK = ["chunk_id", "worker_url", "status", "started_at", "completed_at"]


@pytest.fixture
def node() -> Iterator[str]:
    """A push node that is well."""
    with PushNode() as one:
        yield one.url


def finish(job_id: str) -> None:
    """Join what the workers reported, as the pipeline does."""
    job = run(pipeline.claim_stage("p1"))
    assert job
    assert job.status is JobStatus.AGGREGATING
    chunks, fields = run(pipeline.get_results(job_id))
    result = make_result(queries.join_results(chunks, fields), 1234, 65_536)
    run(pipeline.finish_aggregating(job_id, job.stage.token, result, chunks))


def test_submit_accepts_a_file_and_names_its_job(client: Client):
    answer = client.post("/submit", {"file": wav()})
    assert answer.status_code == 200
    job_id = answer.json()["job_id"]
    assert answer.content == b'{"status":"accepted","job_id":"%s"}' % job_id.encode()
    assert recordings.read(f"jobs/{job_id}/source.wav") == b"RIFF....WAVE"


@pytest.mark.parametrize("body", [{}, {"file": "not a file"}, {"other": wav()}])
def test_submit_without_a_file_is_400_with_an_error_alone(client: Client, body: dict):
    answer = client.post("/submit", body)
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]
    assert client.get("/jobs").json() == {"jobs": [], "count": 0}


def test_submit_with_nothing_at_all_says_that_there_is_no_file(client: Client):
    assert client.post("/submit").content == b'{"error":"No file provided"}'


def test_a_new_job_has_every_field_of_the_contract(client: Client):
    job_id = client.post("/submit", {"file": wav()}).json()["job_id"]
    job = client.get(f"/jobs/{job_id}").json()
    assert [name for name in JOB if name not in job] == []
    assert (job["filename"], job["status"], job["chunks"]) == ("talk.wav", "created", [])
    assert job["created_at"].endswith("Z")


def test_an_unknown_job_is_exactly_job_not_found(client: Client):
    answer = client.get("/jobs/0123456789abcdef")
    assert (answer.status_code, answer.content) == (404, b'{"error":"Job not found"}')


def test_chunks_have_the_fields_of_the_contract_while_the_job_runs(client: Client):
    job_id = processing(2).job_id
    worker("w1")
    complete(claim()[0], "hello there")
    job = client.get(f"/jobs/{job_id}").json()
    done, waiting = job["chunks"]
    assert [name for name in CHUNK if name not in done or name not in waiting] == []
    assert done["chunk_id"] == f"{job_id}_chunk_0"
    assert (done["worker_url"], done["status"]) == ("agent://w1", "completed")
    assert done["result_summary"] == {"text_length": 11, "segments_count": 0}
    assert (waiting["worker_url"], waiting["started_at"], waiting["completed_at"]) == (None,) * 3
    assert (job["total_chunks"], job["completed_chunks"]) == (2, 1)


def test_a_result_is_on_the_timeline_of_the_uploaded_file(client: Client, store):
    job_id = processing(2).job_id
    worker("w1")
    for held in claim(count=2):
        line = Line(start_ms=250, end_ms=1500, text=f"number {held.chunk.index}")
        result = ChunkResult(text=line.text, time_ms=500, segments=(line,))
        run(reports.complete(name_of(held), "w1", held.chunk.token, result))
    finish(job_id)
    job = client.get(f"/jobs/{job_id}").json()
    assert job["status"] == "completed"
    assert job["result"] == {
        "text": "number 0 number 1",
        "segments_count": 2,
        "total_processing_time_ms": 1234,
        "segments": [
            {"start": "00:00:00.250", "end": "00:00:01.500", "start_ms": 250, "end_ms": 1500,
             "text": "number 0"},
            {"start": "00:01:00.250", "end": "00:01:01.500", "start_ms": 60250, "end_ms": 61500,
             "text": "number 1"},
        ],
    }  # fmt: skip
    (stored,) = store.read(ops.Key(keys.job(job_id)))
    assert f'"{job_id}_chunk_1"'.encode() in stored  # GET job:<id> shows the chunk list too


def test_jobs_are_listed_newest_first_and_fifty_at_most(client: Client, clock):
    ids = []
    for _ in range(52):
        ids.append(submit().job_id)
        clock.advance(1)
    answer = client.get("/jobs").json()
    assert list(answer) == ["jobs", "count"]
    assert [job["job_id"] for job in answer["jobs"]] == ids[:1:-1]
    assert answer["count"] == 50
    assert client.get("/jobs?limit=3").json()["count"] == 3


def test_stats_count_workers_and_jobs(client: Client):
    processing(1)
    worker("w1")
    worker("w2")
    claim("w1")
    assert client.get("/stats").content == (
        b'{"workers":{"total":2,"online":1,"busy":1,"offline":0},'
        b'"jobs":{"total":1,"active":1,"completed":0}}'
    )


def test_a_worker_is_added_listed_and_removed(client: Client, node: str):
    bare = node.removeprefix("http://")
    shape = {"id": f"http-{bare}", "url": node, "status": "online"}
    added = post_json(client, "/workers/add", {"url": bare})
    assert (added.status_code, added.json()) == (200, shape)
    assert client.get("/workers").json() == {"workers": [shape], "count": 1}
    assert post_json(client, "/workers/remove", {"url": bare}).status_code == 200
    assert client.get("/workers").json() == {"workers": [], "count": 0}


def test_a_form_will_do_to_add_a_worker(client: Client):
    answer = client.post("/workers/add", {"url": "10.1.2.3:8080/"})
    assert answer.json()["url"] == "http://10.1.2.3:8080"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "URL is required"),
        ({"url": ""}, "URL is required"),
        ({"url": "  "}, "URL is required"),
        ({"url": None}, "URL is required"),
        ({"url": "ftp://x"}, "not an http address of a host and port"),
        ({"url": "http://x/path?y"}, "not an http address of a host and port"),
        ({"url": ["a"]}, "Not a valid string."),
    ],
)
def test_a_wrong_url_is_400_with_an_error_alone(client: Client, body: dict, error: str):
    for path in ("/workers/add", "/workers/remove"):
        answer = post_json(client, path, body)
        assert (answer.status_code, answer.json()) == (400, {"error": error})


def test_a_known_url_is_400(client: Client):
    post_json(client, "/workers/add", {"url": "10.1.2.3:8080"})
    again = post_json(client, "/workers/add", {"url": "http://10.1.2.3:8080"})
    assert (again.status_code, again.content) == (400, b'{"error":"Worker already exists"}')


def test_removing_an_unknown_worker_is_404(client: Client):
    answer = post_json(client, "/workers/remove", {"url": "10.1.2.3:8080"})
    assert (answer.status_code, answer.content) == (404, b'{"error":"Worker not found"}')


def test_an_agent_can_be_removed_by_its_url(client: Client):
    worker("w1")
    assert post_json(client, "/workers/remove", {"url": "agent://w1"}).status_code == 200


def test_workers_health_is_checked_while_answering(client: Client, clock, node: str):
    dead = "http://127.0.0.1:1"
    for url in (node, dead):
        post_json(client, "/workers/add", {"url": url})
    worker("w1")
    clock.advance(60)
    found = {one["url"]: one["status"] for one in client.get("/workers").json()["workers"]}
    assert found == {node: "online", dead: "offline", "agent://w1": "offline"}
    clock.advance(270)  # beyond the life of whoever stayed silent
    (alive,) = client.get("/workers").json()["workers"]
    assert (alive["url"], alive["status"]) == (node, "online")


@pytest.mark.parametrize("path", ["/workers/add", "/api/v1/workers"])
@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("169.254.169.254", "no node is at a metadata address: 169.254.169.254"),
        ("http://[fd00:ec2::254]:80", "no node is at a metadata address: fd00:ec2::254"),
        (
            "8.8.8.8:9000",
            "this is in none of the networks of ORCHARD_NODE_NETWORKS: 8.8.8.8",
        ),
    ],
)
def test_an_address_where_no_node_may_be_is_400_and_says_why(client: Client, path, url, reason):
    answer = post_json(client, path, {"url": url})
    assert answer.status_code == 400
    assert reason in answer.json()["error"]
    assert client.get("/workers").json() == {"workers": [], "count": 0}


def test_a_node_is_asked_how_it_is_when_it_is_added(client: Client, node: str):
    added = post_json(client, "/api/v1/workers", {"url": node})
    assert (added.status_code, added.json()["node"]["condition"]) == (201, "well")
    assert post_json(client, "/api/v1/workers", {"url": node}).status_code == 200
    dead = post_json(client, "/workers/add", {"url": "http://127.0.0.1:1"})
    assert (dead.status_code, dead.json()["status"]) == (200, "offline")
    found = {one["url"]: one for one in client.get("/api/v1/workers").json()["workers"]}
    told = found["http://127.0.0.1:1"]["node"]
    assert (told["condition"], told["failures"]) == ("unreachable", 1)
    assert "cannot be reached" in told["reason"]
    assert told["retry_at"] > told["checked_at"]


def test_the_purifier_is_on_until_somebody_prefers_otherwise(client: Client, store):
    path = "/preferences/purifier"
    assert client.get(path).content == b'{"usePurifier":true}'
    assert post_json(client, path, {"usePurifier": False}).content == b'{"usePurifier":false}'
    assert client.get(path).content == b'{"usePurifier":false}'
    assert store.read(ops.Key("user_pref:token:robot:use_purifier")) == [b"false"]
    job_id = client.post("/submit", {"file": wav()}).json()["job_id"]
    assert run(queries.get_job(job_id)).job.use_purifier is False


def test_a_preference_is_kept_for_a_day(client: Client, clock):
    post_json(client, "/preferences/purifier", {"usePurifier": False})
    clock.advance(86_399)
    assert client.get("/preferences/purifier").json() == {"usePurifier": False}
    clock.advance(2)
    assert client.get("/preferences/purifier").json() == {"usePurifier": True}


@pytest.mark.parametrize("body", [{}, {"usePurifier": "maybe"}, {"usePurifier": None}, [], "x"])
def test_a_preference_that_is_neither_yes_nor_no_is_400(client: Client, body):
    answer = post_json(client, "/preferences/purifier", body)
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]
