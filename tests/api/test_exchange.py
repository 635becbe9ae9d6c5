"""``/api/v1/workers/{id}/exchange`` as agents use it."""

from __future__ import annotations

import time

import pytest
from django.test import AsyncClient, Client

from orchard.services import fleet, queries, run
from tests.api.fixtures import post_json
from tests.services.orchards import claim, name_of, processing, worker

PATH = "/api/v1/workers/w1/exchange"
HEARD = {
    "text": "hello there", "time_ms": 1500,
    "segments": [{"start_ms": 100, "end_ms": 900, "text": "hello there"}],
    "metadata": {"model": "tiny.en"},
}  # fmt: skip


@pytest.fixture
def held(agent: Client):
    """Two chunks of five, with the worker w1."""
    processing(5)
    worker("w1")
    return claim("w1", 2)


def lease(one, **more):
    return {"chunk_id": name_of(one), "token": one.chunk.token} | more


def counted(held) -> int:
    return run(queries.get_job(held[0].job.job_id)).job.completed_chunks


def test_results_go_in_and_the_next_chunks_come_out(agent: Client, held):
    body = {"results": [lease(one, **HEARD) for one in held], "max": 2}
    answer = post_json(agent, PATH, body)
    assert answer.status_code == 200
    told = answer.json()
    assert told["results"] == [
        {"chunk_id": name_of(one), "outcome": "accepted", "status": "completed"} for one in held
    ]
    assert [one["index"] for one in told["chunks"]] == [2, 3]
    assert told["chunks"][0]["audio_url"].endswith("_chunk_2/audio")
    assert told["worker"]["pending_chunks"] == [one["chunk_id"] for one in told["chunks"]]
    assert (told["draining"], told["extended"], told["lost"]) == (False, [], [])
    assert counted(held) == 2
    line = run(queries.get_transcript(held[0].job.job_id)).transcript.segments[0]
    assert (line.start_ms, line.text) == (100, "hello there")


def test_an_exchange_sent_again_is_answered_like_the_first_time(agent: Client, held):
    body = {"results": [lease(held[0], **HEARD)], "max": 0}
    first, again = (post_json(agent, PATH, body).json()["results"][0] for _ in range(2))
    assert (first.pop("outcome"), again.pop("outcome")) == ("accepted", "repeated")
    assert (first, counted(held)) == (again, 1)


def test_each_report_is_answered_by_itself(agent: Client, held):
    stale = lease(held[1], **HEARD) | {"token": 77}
    nothing = {"chunk_id": "nonsense", "token": 1, **HEARD}
    body = {"results": [nothing, stale, lease(held[0], **HEARD)], "max": 0}
    bad, late, good = post_json(agent, PATH, body).json()["results"]
    assert (bad["outcome"], bad["code"]) == ("refused", "unknown_chunk")
    assert (late["outcome"], late["code"], late["holder"]) == ("refused", "stale_token", "w1")
    assert "too late" in late["error"]
    assert (good["outcome"], counted(held)) == ("accepted", 1)


def test_failures_progress_and_leases_are_answered_too(agent: Client, held):
    (third,) = claim("w1")
    body = {
        "failures": [lease(held[0], error="no memory")],
        "progress": [lease(held[1], progress=0.5)],
        "leases": [lease(third), {"chunk_id": "0123_chunk_7", "token": 1}],
        "max": 0,
    }
    told = post_json(agent, PATH, body).json()
    assert (told["failures"][0]["outcome"], told["failures"][0]["status"]) == (
        "accepted", "waiting",
    )  # fmt: skip
    assert told["progress"][0]["status"] == "running"
    assert (told["extended"], told["lost"]) == ([name_of(third)], ["0123_chunk_7"])
    assert told["chunks"] == []


def test_a_drained_worker_reports_and_gets_nothing(agent: Client, held):
    run(fleet.drain("w1"))
    body = {"results": [lease(held[0], **HEARD)], "max": 5, "wait_s": 5}
    told = post_json(agent, PATH, body).json()
    assert (told["results"][0]["outcome"], told["chunks"]) == ("accepted", [])
    assert told["draining"] is True


@pytest.mark.parametrize("name", ["nobody", "http-1.2.3.4:80", "a%00b", "%F0%9F%8D%8E"])
def test_an_unknown_worker_is_404_and_nothing_is_changed(agent: Client, held, name: str):
    body = {"results": [lease(held[0], **HEARD)]}
    answer = post_json(agent, f"/api/v1/workers/{name}/exchange", body)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_worker")
    assert counted(held) == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ({"results": {}}, "results"),
        ({"results": [5]}, "results[0]"),
        ({"results": [{"chunk_id": "a", "token": 1, "text": "x"}]}, "results[0].time_ms"),
        ({"results": [{"token": 1, "text": "x", "time_ms": 1}]}, "results[0].chunk_id"),
        ({"results": [{"chunk_id": "a", "token": "1", "text": "x", "time_ms": 1}]},
         "results[0].token"),
        ({"results": [{"chunk_id": "a", "token": 1, "text": "x", "time_ms": 1,
                       "metadata": {"x": "y" * 20_000}}]}, "results[0].metadata"),
        ({"results": [{"chunk_id": "a", "token": 1, "text": "x", "time_ms": 1,
                       "segments": [{"start_ms": -1, "end_ms": 1, "text": "a"}]}]},
         "results[0].segments[0].start_ms"),
        ({"results": [{"chunk_id": "a", "token": 1, "text": "x", "time_ms": 1}] * 101}, "results"),
        ({"failures": [{"chunk_id": "a", "token": 1}]}, "failures[0].error"),
        ({"progress": [{"chunk_id": "a", "token": 1, "progress": 2}]}, "progress[0].progress"),
        ({"leases": [{"chunk_id": "a", "token": -1}]}, "leases[0].token"),
        ({"max": 101}, "max"), ({"max": -1}, "max"), ({"max": True}, "max"),
        ({"wait_s": 61}, "wait_s"), ({"wait_s": "soon"}, "wait_s"),
    ],
)  # fmt: skip
def test_a_wrong_exchange_names_the_field_and_changes_nothing(agent, held, body, field: str):
    good = {"results": [lease(held[0], **HEARD)]}
    answer = post_json(agent, PATH, good | body if isinstance(body, dict) else body)
    assert (answer.status_code, list(answer.json()["detail"])) == (400, [field])
    assert (counted(held), len(claim("w1", 9))) == (0, 3)


def test_an_exchange_is_counted_with_the_hot_paths(agent: Client, held, monkeypatch):
    from orchard.api import throttles

    monkeypatch.setattr(throttles.Throttle, "hot_limit", 2)
    monkeypatch.setattr(throttles, "own_counts", throttles.OwnCounts())
    codes = [post_json(agent, PATH, {"max": 0}).status_code for _ in range(3)]
    assert codes == [200, 200, 429]


def test_what_has_no_address_is_404_also_to_programs_that_post_there(agent: Client):
    """So that an agent can tell an older master from a refusal."""
    strict = Client(enforce_csrf_checks=True, headers={"Authorization": "Bearer x"})
    answer = post_json(strict, "/api/v1/workers/w1/from-tomorrow")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.django_db(transaction=True)
async def test_reports_count_before_the_answer_waits_for_work(async_agent: AsyncClient):
    job = processing(1)
    worker("w1")
    (one,) = claim("w1")
    start = time.monotonic()
    body = {"results": [lease(one, **HEARD)], "wait_s": 0.3}
    answer = await async_agent.post(PATH, body, content_type="application/json")
    assert answer.json()["chunks"] == []
    assert time.monotonic() - start >= 0.3
    assert run(queries.get_job(job.job_id)).job.completed_chunks == 1
