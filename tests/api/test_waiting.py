"""Answers that wait: claims for work, and events for news."""

from __future__ import annotations

import asyncio
import time

import pytest
from django.test import AsyncClient

from orchard.api import workers as workers_api
from orchard.live.feed import get_feed
from orchard.services import arun, fleet, queries, reports, run
from tests.services.orchards import claim, name_of, processing, worker

CLAIM = "/api/v1/workers/w1/claim"


@pytest.fixture(autouse=True)
async def _tail_ends():
    """The feed of the test's event loop ends with it."""
    yield
    await get_feed().close()


def ask(client: AsyncClient, **body: object) -> asyncio.Task:
    """A claim that is under way."""
    return asyncio.create_task(client.post(CLAIM, body, content_type="application/json"))


async def until_waiting(client: AsyncClient) -> None:
    """Until the claim has found nothing and listens for work."""
    async with asyncio.timeout(10):
        while not get_feed()._wakers:
            await asyncio.sleep(0.001)


async def test_a_waiting_claim_gets_work_as_soon_as_there_is_some(
    async_agent: AsyncClient, monkeypatch
):
    monkeypatch.setattr(workers_api, "LOOK_AGAIN_S", 30.0)
    worker("w1")
    waiting = ask(async_agent, wait_s=30)
    await until_waiting(async_agent)
    began = time.monotonic()
    processing(1)
    answer = await waiting
    assert len(answer.json()["chunks"]) == 1
    assert time.monotonic() - began < 15  # well before it would look again by itself


async def test_a_wait_in_vain_ends_with_nothing(async_agent: AsyncClient):
    worker("w1")
    answer = await ask(async_agent, wait_s=0.2)
    assert answer.json() == {"chunks": [], "draining": False}


async def test_a_worker_drained_while_it_waits_is_told_so(async_agent: AsyncClient):
    worker("w1")
    waiting = ask(async_agent, wait_s=30)
    await until_waiting(async_agent)
    await arun(fleet.drain("w1"))
    answer = await waiting
    assert (answer.status_code, answer.json()["code"]) == (409, "draining")


async def test_whoever_hangs_up_takes_nothing(async_agent: AsyncClient):
    worker("w1")
    waiting = ask(async_agent, wait_s=30)
    await until_waiting(async_agent)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert not get_feed()._wakers
    processing(1)
    worker("w2")
    assert len(claim("w2")) == 1


async def test_many_waiting_claims_share_the_work_without_a_repeat(async_agent: AsyncClient):
    for i in range(10):
        worker(f"w{i}")
    tasks = [
        asyncio.create_task(
            async_agent.post(
                f"/api/v1/workers/w{i}/claim", {"wait_s": 5}, content_type="application/json"
            )
        )
        for i in range(10)
    ]
    await until_waiting(async_agent)
    processing(10)
    answers = [await task for task in tasks]
    names = [chunk["chunk_id"] for answer in answers for chunk in answer.json()["chunks"]]
    assert len(names) == len(set(names)) == 10


async def test_an_answer_that_gets_lost_comes_back_by_its_lease(async_agent, clock):
    processing(1)
    worker("w1")
    lost = (await ask(async_agent)).json()["chunks"][0]  # nobody ever reads this
    clock.advance(31)
    run(reports.expire(lost["chunk_id"]))
    worker("w2")
    (again,) = claim("w2")
    assert (name_of(again), again.chunk.token) == (lost["chunk_id"], lost["token"] + 1)


async def test_events_come_in_order_and_go_on_from_a_cursor(async_reader):
    reader = async_reader
    processing(1)
    worker("w1")
    first = (await reader.get("/api/v1/events?limit=2")).json()
    assert [event["name"] for event in first["events"]] == ["job.created", "job.advanced"]
    rest = (await reader.get(f"/api/v1/events?cursor={first['cursor']}")).json()
    assert rest["events"][-1]["name"] == "worker.registered"
    assert rest["reset"] is False
    end = (await reader.get("/api/v1/events?cursor=$")).json()
    assert (end["events"], end["cursor"]) == ([], rest["cursor"])
    held = claim("w1")[0]
    news = (await reader.get(f"/api/v1/events?cursor={end['cursor']}&wait_s=5")).json()
    assert news["events"][0]["chunk_id"] == name_of(held)
    assert run(queries.events_end()) == news["cursor"]
