"""Jobs of other types over the API: handed in, claimed, answered, fetched."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from orchard.services import run
from orchard.services.pipeline import claim_stage
from tests.jobtypes.works import hand_in, see, work_on

pytestmark = pytest.mark.django_db


def submit(client, content: bytes = b"one\ntwo", name: str = "a.txt", **fields):
    upload = SimpleUploadedFile(name, content)
    return client.post("/api/v1/jobs", {"file": upload, "type": "text"} | fields)


def register(agent, name: str = "w1", **facts):
    body = {"name": name, "types": ["text"]} | facts
    return agent.post("/api/v1/workers", body, content_type="application/json")


def claim(agent, name: str = "w1"):
    claimed = agent.post(f"/api/v1/workers/{name}/claim", {}, content_type="application/json")
    return claimed.json()["chunks"]


def whole(answer) -> bytes:
    async def read() -> bytes:
        return b"".join([block async for block in answer.streaming_content])

    try:
        return asyncio.run(read())
    finally:
        answer.close()


def test_a_batch_goes_in_and_its_output_comes_out(client, agent, clock):
    job = submit(client).json()
    assert (job["job_type"], job["status"]) == ("text", "created")
    assert register(agent).json()["types"] == ["text"]
    work_on(clock, 1)
    (work,) = claim(agent)
    assert (work["job_type"], work["facts"]) == ("text", {"lines": 2})
    payload = agent.get(work["audio_url"], {"token": work["token"]})
    assert whole(payload) == b'"one"\n"two"\n'
    report = {"worker_id": "w1", "token": work["token"], "time_ms": 5}
    path = f"/api/v1/chunks/{work['chunk_id']}/complete"
    bad = agent.post(path, report | {"text": "1"}, content_type="application/json")
    assert (bad.status_code, bad.json()["code"]) == (409, "bad_result")
    clock.advance(10)
    (again,) = claim(agent)
    report["token"] = again["token"]
    agent.post(path, report | {"text": "1\n2"}, content_type="application/json")
    assert client.get(f"/api/v1/jobs/{job['job_id']}/output").json()["code"] == "unknown_output"
    work_on(clock, 1)
    output = client.get(f"/api/v1/jobs/{job['job_id']}/output")
    assert whole(output) == b"1\n2\n"
    assert output["Content-Disposition"] == 'attachment; filename="a.results.jsonl"'
    done = client.get(f"/api/v1/jobs/{job['job_id']}").json()
    assert (done["status"], done["result"]["output"]) == ("completed", "a.results.jsonl")
    assert client.get(f"/api/v1/jobs/{job['job_id']}/transcript.txt").content == b"1\n2\n"


def test_a_job_that_no_worker_can_begin_says_so_until_one_can(client, agent, clock):
    path = f"/api/v1/jobs/{submit(client, requires='gpu').json()['job_id']}"
    assert "waits_for" not in client.get(path).json()
    work_on(clock, 1)
    register(agent, "plain")
    told = client.get(path).json()["waits_for"]
    assert (told["reason"], told["labels"]) == ("no_worker_with_labels", ["gpu"])
    assert told["message"] == "No worker that is online has the labels gpu."
    assert told["help"]
    assert "waits_for" not in client.get("/api/v1/jobs").json()["jobs"][0]
    register(agent, "able", labels=["gpu"])
    assert "waits_for" not in client.get(path).json()


def test_a_recording_says_nothing_of_types_as_before(client, agent):
    job = client.post("/api/v1/jobs", {"file": SimpleUploadedFile("a.wav", b"sound")}).json()
    assert not {"job_type", "priority", "requires", "run_at"} & job.keys()
    worker = agent.post("/api/v1/workers", {"name": "w1"}, content_type="application/json").json()
    assert not {"types", "labels"} & worker.keys()


def test_a_job_says_how_urgent_it_is_when_and_who_may_do_it(client, clock):
    at = (clock.now() + timedelta(days=40)).replace(microsecond=0)
    job = submit(
        client, priority="high", requires="gpu, site=x", run_at=at.isoformat()
    ).json()  # fmt: skip
    assert (job["priority"], job["requires"]) == (8, ["gpu", "site=x"])
    assert datetime.fromisoformat(job["run_at"]) == at


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"type": "knitting"}, "type"), ({"priority": "urgent"}, "priority"),
        ({"requires": "a b"}, "requires"), ({"requires": "a,b,c,d,e,f"}, "requires"),
        ({"run_at": "tomorrow"}, "run_at"), ({"run_at": "2999-01-01T00:00:00Z"}, "run_at"),
    ],
)  # fmt: skip
def test_what_is_asked_wrongly_is_refused_and_named(client, fields, field):
    answer = submit(client, **fields)
    assert (answer.status_code, [*answer.json()["detail"]]) == (400, [field])


@pytest.mark.parametrize("facts", [{"types": ["a b"]}, {"labels": ["a+b"]}, {"types": "text"}])
def test_a_worker_that_registers_wrongly_is_refused(agent, facts):
    assert register(agent, **facts).status_code == 400


def test_a_scheduled_job_waits_for_its_time_and_no_longer(store, clock):
    later = hand_in("fine", run_at=clock.now() + timedelta(hours=8))
    soon = hand_in("fine")
    assert run(claim_stage("p1")).job_id == soon.job_id
    assert run(claim_stage("p1")) is None
    clock.advance(8 * 3600 - 60)
    while job := run(claim_stage("p1")):
        assert job.job_id == soon.job_id
    clock.advance(61)
    names = {job.job_id for _ in range(3) if (job := run(claim_stage("p1")))}
    assert later.job_id in names
    assert see(later).stage.attempts == 1


def test_a_scheduled_job_can_be_cancelled(client, clock):
    job = hand_in("fine", run_at=clock.now() + timedelta(hours=8))
    answer = client.post(f"/api/v1/jobs/{job.job_id}/cancel")
    assert json.loads(answer.content)["status"] == "cancelled"
    clock.advance(9 * 3600)
    assert run(claim_stage("p1")) is None


def test_a_time_that_is_over_is_now(store, clock):
    job = hand_in("fine", run_at=clock.now() - timedelta(hours=8))
    assert (job.run_at, run(claim_stage("p1")).job_id) == (None, job.job_id)


def test_no_more_of_a_type_is_at_work_than_its_limit(client, agent, clock, types):
    from tests.jobtypes.conftest import forget

    types.setenv("ORCHARD_JOB_TYPE_LIMITS", "text=2")
    forget()
    for _ in range(3):
        submit(client)
    work_on(clock, 1)
    register(agent)
    body = {"max": 5}
    path = "/api/v1/workers/w1/claim"
    first = agent.post(path, body, content_type="application/json").json()["chunks"]
    assert len(first) == 2
    assert claim(agent) == []
    report = {"worker_id": "w1", "token": first[0]["token"], "time_ms": 5, "text": "1\n2"}
    agent.post(
        f"/api/v1/chunks/{first[0]['chunk_id']}/complete", report, content_type="application/json"
    )
    assert len(claim(agent)) == 1
