"""``/api/v1/workers`` as agents use it."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.api.fixtures import Tokens, post_json
from tests.services.orchards import claim, name_of, processing, worker

V1 = "/api/v1"


def test_an_agent_registers_twice_and_is_the_same_worker(agent: Client):
    body = {"name": "kitchen-pc", "capabilities": {"model": "tiny.en"}, "concurrency": 2}
    first, again = (post_json(agent, f"{V1}/workers", body) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)  # at the same millisecond
    found = first.json()
    assert (found["worker_id"], found["url"]) == ("kitchen-pc", "agent://kitchen-pc")
    assert (found["heartbeat_s"], found["lease_s"]) == (10.0, 30.0)
    assert found["metadata"] == {"model": "tiny.en"}
    assert again.json()["registered_at"] == found["registered_at"]


def test_registering_again_later_is_200(agent: Client, clock):
    post_json(agent, f"{V1}/workers", {"name": "w1"})
    clock.advance(1)
    assert post_json(agent, f"{V1}/workers", {"name": "w1"}).status_code == 200


def test_a_push_node_registers_by_its_url(agent: Client):
    answer = post_json(agent, f"{V1}/workers", {"url": "http://10.0.0.7:8080", "mode": "push"})
    assert answer.json()["worker_id"] == "http-10.0.0.7:8080"
    assert answer.json()["mode"] == "push"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "a", "url": "http://b"}, "name"),
        ({"name": "../../etc"}, "name"),
        ({"name": "a\ufeffb"}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": 5}, "name"),
        ({"name": "http-1.2.3.4:80"}, "name"),
        ({"url": "http://a/b?c"}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"name": "a", "mode": "push"}, "mode"),
        ({"name": "a", "mode": "sideways"}, "mode"),
        ({"name": "a", "concurrency": 0}, "concurrency"),
        ({"name": "a", "concurrency": 10**30}, "concurrency"),
        ({"name": "a", "concurrency": True}, "concurrency"),
        ({"name": "a", "capabilities": []}, "capabilities"),
        ({"name": "a", "capabilities": {"x": "y" * 20_000}}, "capabilities"),
    ],
)
def test_a_wrong_registration_names_the_field_and_changes_nothing(agent, client, body, field):
    answer = post_json(agent, f"{V1}/workers", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert list(answer.json()["detail"]) == [field]
    assert client.get(f"{V1}/workers").json()["count"] == 0


def test_capabilities_nested_deep_are_refused(agent: Client):
    deep: dict = {}
    for _ in range(30):
        deep = {"x": [deep]}
    answer = post_json(agent, f"{V1}/workers", {"name": "a", "capabilities": deep})
    assert (answer.status_code, list(answer.json()["detail"])) == (400, ["capabilities"])


def test_workers_are_listed_and_shown(client: Client):
    worker("w1")
    listed = client.get(f"{V1}/workers").json()
    assert (listed["count"], listed["workers"][0]["worker_id"]) == (1, "w1")
    assert client.get(f"{V1}/workers/w1").json()["status"] == "online"


def test_a_heartbeat_extends_what_is_held_and_names_what_is_lost(agent: Client):
    processing(1)
    worker("w1")
    (held,) = claim("w1")
    leases = [
        {"chunk_id": name_of(held), "token": held.chunk.token},
        {"chunk_id": "0123_chunk_7", "token": 1},
    ]
    beat = post_json(agent, f"{V1}/workers/w1/heartbeat", {"leases": leases}).json()
    assert (beat["extended"], beat["lost"]) == ([name_of(held)], ["0123_chunk_7"])
    assert (beat["worker"]["draining"], beat["worker"]["paused"]) == (False, False)


@pytest.mark.parametrize(
    ("leases", "field"),
    [
        (5, "leases"),
        ([5], "leases[0]"),
        ([{"chunk_id": "a"}], "leases[0].token"),
        ([{"chunk_id": "a", "token": -1}], "leases[0].token"),
        ([{"chunk_id": "a", "token": "1"}], "leases[0].token"),
        ([{"chunk_id": "a", "token": 1}] * 101, "leases"),
    ],
)
def test_a_wrong_heartbeat_names_the_field(agent: Client, leases, field):
    worker("w1")
    answer = post_json(agent, f"{V1}/workers/w1/heartbeat", {"leases": leases})
    assert (answer.status_code, list(answer.json()["detail"])) == (400, [field])


@pytest.mark.parametrize("path", ["heartbeat", "claim", "drain", "pause", "resume"])
@pytest.mark.parametrize("name", ["nobody", "http-1.2.3.4:80", "a%00b", "%F0%9F%8D%8E", "a%2Fb"])
def test_an_unknown_worker_is_404_so_that_it_registers_again(agent: Client, path: str, name: str):
    answer = post_json(agent, f"{V1}/workers/{name}/{path}")
    assert answer.status_code == 404
    assert answer.json()["code"] in ("unknown_worker", "not_found")


def test_a_claim_hands_out_chunks_with_all_that_an_agent_needs(agent: Client):
    job_id = processing(3).job_id
    worker("w1")
    answer = post_json(agent, f"{V1}/workers/w1/claim", {"max": 2}).json()
    assert answer["draining"] is False
    first, second = answer["chunks"]
    assert first == {
        "chunk_id": f"{job_id}_chunk_0", "job_id": job_id, "index": 0, "token": 1, "attempts": 1,
        "is_duplicate": False,
        "start_ms": 0, "end_ms": 60_000, "duration_ms": 60_000, "language": None,
        "audio_url": f"/api/v1/chunks/{job_id}_chunk_0/audio", "lease_s": 30.0,
        "deadline": "2025-06-23T12:00:30Z",
    }  # fmt: skip
    assert second["index"] == 1


def test_a_claim_without_work_and_without_a_wait_is_empty_at_once(agent: Client):
    worker("w1")
    answer = post_json(agent, f"{V1}/workers/w1/claim")
    assert answer.json() == {"chunks": [], "draining": False}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"max": 0}, "max"),
        ({"max": 101}, "max"),
        ({"max": 1.5}, "max"),
        ({"max": None}, "max"),
        ({"wait_s": -1}, "wait_s"),
        ({"wait_s": 61}, "wait_s"),
        ({"wait_s": "NaN"}, "wait_s"),
        ([], "body"),
        ('"claim"', "body"),
    ],
)
def test_a_wrong_claim_names_the_field_and_takes_nothing(agent: Client, body, field: str):
    processing(1)
    worker("w1")
    answer = post_json(agent, f"{V1}/workers/w1/claim", body)
    assert (answer.status_code, list(answer.json()["detail"])) == (400, [field])
    assert len(claim("w1")) == 1


@pytest.mark.parametrize(("order", "code"), [("drain", "draining"), ("pause", "paused")])
def test_a_worker_that_is_told_to_stop_gets_409_until_it_may_go_on(agent, order: str, code: str):
    processing(1)
    worker("w1")
    assert post_json(agent, f"{V1}/workers/w1/{order}").json()[code] is True
    refused = post_json(agent, f"{V1}/workers/w1/claim")
    assert (refused.status_code, refused.json()["code"]) == (409, code)
    beat = post_json(agent, f"{V1}/workers/w1/heartbeat").json()
    assert beat["worker"][code] is True
    assert post_json(agent, f"{V1}/workers/w1/resume").json()[code] is False
    assert len(post_json(agent, f"{V1}/workers/w1/claim").json()["chunks"]) == 1


def test_an_agent_that_says_good_bye_leaves_its_chunks(agent: Client):
    processing(1)
    worker("w1")
    claim("w1")
    assert agent.delete(f"{V1}/workers/w1").status_code == 200
    assert agent.delete(f"{V1}/workers/w1").status_code == 404
    worker("w2")
    assert len(claim("w2")) == 1


def test_agents_may_not_read_the_rest(store, tokens: Tokens):
    answer = Client(headers=tokens("worker")).get(f"{V1}/jobs")
    assert answer.json() == {"error": "The token lacks the scope read", "code": "permission_denied"}
