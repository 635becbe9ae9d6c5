"""``/api/v1/chunks`` as agents use it."""

from __future__ import annotations

import pytest
from django.test import AsyncClient, Client

from orchard.ports import recordings
from orchard.services import fleet, queries, run
from tests.api.fixtures import post_json
from tests.services.orchards import claim, name_of, processing, worker

V1 = "/api/v1/chunks"
HEARD = {
    "text": "hello there",
    "time_ms": 1500,
    "segments": [
        {"start_ms": 100, "end_ms": 900, "text": "hello there",
         "words": [{"start_ms": 100, "end_ms": 400, "text": "hello", "confidence": 0.9}]},
    ],
    "metadata": {"model": "tiny.en", "language": "en"},
}  # fmt: skip


@pytest.fixture
def held(agent: Client):
    """One chunk of two, with the worker w1."""
    processing(2)
    worker("w1")
    return claim("w1")[0]


def report(held, **more):
    return {"worker_id": "w1", "token": held.chunk.token} | more


def counted(held) -> int:
    return run(queries.get_job(held.job.job_id)).job.completed_chunks


def test_a_result_is_accepted_once_and_answered_twice(agent: Client, held):
    path = f"{V1}/{name_of(held)}/complete"
    first, again = (post_json(agent, path, report(held, **HEARD)) for _ in range(2))
    assert first.json() == {"accepted": True, "repeated": False}
    assert again.json() == {"accepted": True, "repeated": True}
    assert counted(held) == 1
    line = run(queries.get_transcript(held.job.job_id)).transcript.segments[0]
    assert (line.start_ms, line.words[0].text) == (100, "hello")


def test_an_empty_result_is_a_result(agent: Client, held):
    path = f"{V1}/{name_of(held)}/complete"
    answer = post_json(agent, path, report(held, text="", time_ms=0))
    assert answer.status_code == 200


def test_progress_extends_the_lease(agent: Client, held, clock):
    clock.advance(20)
    answer = post_json(agent, f"{V1}/{name_of(held)}/progress", report(held, progress=0.5))
    assert answer.json() == {"deadline": "2025-06-23T12:00:50Z"}


def test_a_failure_is_tried_again_until_it_is_final(agent: Client, held):
    path = f"{V1}/{name_of(held)}/fail"
    assert post_json(agent, path, report(held, error="no memory")).json() == {"status": "waiting"}
    other = claim("w1")[0]
    body = report(other, error="broken", retry=False)
    answer = post_json(agent, f"{V1}/{name_of(other)}/fail", body)
    assert answer.json() == {"status": "failed"}


def test_a_chunk_handed_back_costs_no_attempt(agent: Client, held):
    body = report(held, error="worker shutting down", handback=True)
    assert post_json(agent, f"{V1}/{name_of(held)}/fail", body).json() == {"status": "waiting"}
    assert claim("w1")[0].chunk.attempts == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [("complete", HEARD), ("progress", {"progress": 0.1}), ("fail", {"error": "x"})],
)
def test_a_stale_token_is_409_names_the_holder_and_changes_nothing(agent, held, path, body):
    run(fleet.remove("w1"))
    worker("w2")
    taken = next(c for c in claim("w2", 2) if c.chunk.index == held.chunk.index)
    before = run(queries.get_job(held.job.job_id))
    answer = post_json(agent, f"{V1}/{name_of(held)}/{path}", report(held, **body))
    assert (answer.status_code, answer.json()["code"]) == (409, "stale_token")
    assert answer.json()["holder"] == "w2"
    assert run(queries.get_job(held.job.job_id)) == before
    body = report(taken, **HEARD) | {"worker_id": "w2"}
    assert post_json(agent, f"{V1}/{name_of(taken)}/complete", body).status_code == 200


@pytest.mark.parametrize(
    "name",
    ["x", "0123_chunk_", "0123_chunk_0", "0123_chunk_9999999", "_chunk_0", "a%00_chunk_0",
     "%E3%81%82_chunk_1", "x" * 3000],
)  # fmt: skip
@pytest.mark.parametrize(
    ("path", "body"),
    [("complete", HEARD), ("progress", {"progress": 0.1}), ("fail", {"error": "x"})],
)
def test_an_unknown_chunk_is_404(agent: Client, name: str, path: str, body):
    answer = post_json(agent, f"{V1}/{name}/{path}", {"worker_id": "w1", "token": 1} | body)
    assert answer.status_code == 404
    assert answer.json()["code"] in ("unknown_chunk", "unknown_job")


WRONG = [
    ("text", None), ("text", 5), ("text", "x" * 1_000_001), ("time_ms", -1), ("time_ms", 2**50),
    ("time_ms", "12"), ("segments", {}), ("segments", [[]]), ("token", "1"), ("token", 1.5),
    ("token", 10**40), ("worker_id", ""), ("worker_id", 7), ("metadata", []),
    ("segments", [{"start_ms": 0, "end_ms": 1}]),
    ("segments", [{"start_ms": 0, "end_ms": 1, "text": "a", "words": [{}]}]),
    ("segments", [{"start_ms": 0.5, "end_ms": 1, "text": "a"}]),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), WRONG, ids=[f"{f}={v!r:.30}" for f, v in WRONG])
def test_a_wrong_result_names_the_field_and_counts_nothing(agent: Client, held, field, value):
    body = report(held, **HEARD) | {field: value}
    answer = post_json(agent, f"{V1}/{name_of(held)}/complete", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert next(iter(answer.json()["detail"])).startswith(field)
    assert counted(held) == 0


@pytest.mark.parametrize("missing", ["worker_id", "token", "text", "time_ms"])
def test_a_missing_field_is_named(agent: Client, held, missing: str):
    body = report(held, **HEARD)
    del body[missing]
    answer = post_json(agent, f"{V1}/{name_of(held)}/complete", body)
    assert answer.json()["detail"] == {missing: ["is required"]}


@pytest.mark.parametrize("share", [-0.1, 1.1, "0.5", None, True, []])
def test_progress_is_a_number_from_0_to_1(agent: Client, held, share):
    answer = post_json(agent, f"{V1}/{name_of(held)}/progress", report(held, progress=share))
    assert (answer.status_code, list(answer.json()["detail"])) == (400, ["progress"])


def test_a_newer_agent_may_send_fields_that_are_not_known_here(agent: Client, held):
    body = report(held, **HEARD, mood="good")
    assert post_json(agent, f"{V1}/{name_of(held)}/complete", body).status_code == 200


async def read(answer) -> bytes:
    return b"".join([block async for block in answer.streaming_content])


async def test_the_sound_of_a_chunk_is_streamed(async_agent: AsyncClient):
    job_id = processing(1).job_id
    worker("w1")
    (held,) = claim("w1")
    sound = b"RIFF" + bytes(700_000)
    recordings.save_bytes(recordings.chunk_name(job_id, 0), sound)
    path = f"{V1}/{name_of(held)}/audio"
    answer = await async_agent.get(path)
    assert (answer["Content-Type"], answer["Content-Length"]) == ("audio/wav", "700004")
    assert await read(answer) == sound
    assert await read(await async_agent.get(f"{path}?token=1")) == sound
    stale = await async_agent.get(f"{path}?token=2")
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_token")


async def test_sound_that_is_not_there_is_404(async_agent: AsyncClient):
    job_id = processing(1).job_id
    for name in (f"{job_id}_chunk_0", f"{job_id}_chunk_5", "../../secret_key"):
        answer = await async_agent.get(f"{V1}/{name}/audio")
        assert answer.status_code == 404


async def test_a_token_for_sound_is_a_number(async_agent: AsyncClient):
    answer = await async_agent.get(f"{V1}/x_chunk_0/audio?token=abc")
    assert (answer.status_code, list(answer.json()["detail"])) == (400, ["token"])
