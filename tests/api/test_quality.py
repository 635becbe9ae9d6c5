"""What a worker with a doubtful text is answered, and what the one is told that comes after it."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.api.fixtures import post_json
from tests.services.orchards import claim, name_of, processing, worker

LOOP = {"text": "Thank you for watching. " * 12, "time_ms": 1500}
GOOD = {"text": "The family of Dashwood had long been settled in Sussex.", "time_ms": 900}


@pytest.fixture
def held(agent: Client):
    """A chunk with the worker w1, and another worker who has nothing to do."""
    processing(1)
    worker("w1"), worker("w2")
    return claim("w1")[0]


def report(agent: Client, one, who: str, heard):
    body = {"worker_id": who, "token": one.chunk.token} | heard
    return post_json(agent, f"/api/v1/chunks/{name_of(one)}/complete", body)


def test_a_doubtful_text_is_accepted_and_doubted_also_when_it_comes_again(agent: Client, held):
    first, again = (report(agent, held, "w1", LOOP) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == {
        "accepted": True, "repeated": False, "doubted": ["loop", "compression"]
    }  # fmt: skip
    assert again.json() == first.json() | {"repeated": True}


def test_an_exchange_tells_the_same_and_the_next_worker_is_to_be_careful(agent: Client, held):
    said = {"chunk_id": name_of(held), "token": held.chunk.token} | LOOP
    told = post_json(agent, "/api/v1/workers/w1/exchange", {"results": [said], "max": 1}).json()
    (outcome,) = told["results"]
    assert (outcome["status"], outcome["doubted"]) == ("waiting", ["loop", "compression"])
    assert told["chunks"] == []
    (chunk,) = post_json(agent, "/api/v1/workers/w2/claim", {}).json()["chunks"]
    assert chunk["again"] == {"reason": "loop", "settings": "careful"}
    assert chunk["attempts"] == 1


def test_the_job_tells_what_became_of_the_doubt(agent: Client, client: Client, held):
    report(agent, held, "w1", LOOP)
    (second,) = claim("w2")
    assert "doubted" not in report(agent, second, "w2", LOOP).json()
    shown = client.get(f"/api/v1/jobs/{held.job.job_id}").json()
    doubt = shown["chunks"][0]["doubt"]
    assert (doubt["worker_id"], doubt["chosen"]) == ("w1", "second")
    assert doubt["left"] == ["loop", "compression"]
    written = client.get(f"/api/v1/jobs/{held.job.job_id}/transcript.json").json()
    assert written["segments"][0]["doubts"] == ["loop", "compression"]


def test_who_was_never_doubted_is_told_nothing_of_it(agent: Client, held):
    assert report(agent, held, "w1", GOOD).json() == {"accepted": True, "repeated": False}
