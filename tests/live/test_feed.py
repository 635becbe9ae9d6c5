"""The feed: started by the first, ended after the last, and alive through outages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import redis

from orchard.live import feed as feeds
from orchard.live.feed import get_feed, wait_for_work, work_heard
from orchard.live.following import frames
from orchard.services import arun, engine, queries, reports, run, submissions
from statecore.store.memory import MemoryStore
from statecore.store.redis import RedisStore
from tests.services.orchards import claim, name_of, processing, submit, worker


async def until(condition) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


def tails() -> list[asyncio.Task]:
    return [task for task in asyncio.all_tasks() if task.get_name() == "live feed"]


async def next_of(stream: AsyncIterator[str]) -> dict:
    async with asyncio.timeout(10):
        return json.loads(await anext(stream))


async def running_tail() -> AsyncIterator[str]:
    """A follower whose tail has its place already."""
    stream = frames("fleet", await arun(queries.events_end()))
    worker("w0")
    await next_of(stream)
    await until(lambda: get_feed()._shown)
    return stream


async def test_the_tail_ends_after_the_last_follower(monkeypatch):
    monkeypatch.setattr(feeds, "LINGER_S", 0.01)
    monkeypatch.setattr(feeds, "BLOCK_MS", 50)
    stream = frames("fleet", await arun(queries.events_end()))
    submit()
    await next_of(stream)
    assert len(tails()) == 1
    await stream.aclose()
    await until(lambda: not tails())


async def test_a_reader_that_stands_still_holds_nobody_up_and_then_gets_everything():
    cursor = await arun(queries.events_end())
    slow, quick = frames("fleet", cursor), frames("fleet", cursor)
    ids = [submit().job_id]
    assert (await next_of(slow))["events"]
    for _ in range(100):
        ids.append(submit().job_id)
    heard: list[str] = []
    while len(heard) < len(ids):
        heard += [event["job_id"] for event in (await next_of(quick))["events"]]
    assert heard == ids
    late = [event["job_id"] for event in (await next_of(slow))["events"]]
    assert late == ids[1:]
    await slow.aclose()
    await quick.aclose()


async def test_a_reader_older_than_the_ring_reads_from_the_engine(monkeypatch):
    monkeypatch.setattr(feeds, "RING", 5)
    cursor = await arun(queries.events_end())
    lively = frames("fleet", cursor)
    submit()
    await next_of(lively)
    ids = [submit().job_id for _ in range(30)]
    await until(lambda: get_feed()._shown != cursor and len(get_feed()._ring) <= 5)
    late = frames("fleet", cursor)
    heard: list[str] = []
    while len(heard) < 31:
        heard += [event["job_id"] for event in (await next_of(late))["events"]]
    assert heard[1:] == ids
    await lively.aclose()
    await late.aclose()


async def test_a_quiet_socket_hears_that_it_is_alive(monkeypatch):
    monkeypatch.setattr(feeds, "QUIET_S", 0.05)
    cursor = await arun(queries.events_end())
    stream = frames("fleet", cursor)
    assert await next_of(stream) == {"cursor": cursor, "events": []}
    await stream.aclose()


def flush_by_hand(store) -> None:
    if isinstance(store, MemoryStore):
        store.flush()
        return
    with redis.Redis.from_url(store.url) as client:
        client.flushdb()


async def test_after_flushdb_by_hand_readers_start_over(store):
    submit()
    stream = frames("fleet", await arun(queries.events_end()))
    submit()
    await next_of(stream)
    flush_by_hand(store)
    submit()
    frame = await next_of(stream)
    while "reset" not in frame:
        frame = await next_of(stream)
    assert frame == {"reset": True}


async def test_waiting_for_work_ends_when_a_chunk_is_queued():
    heard = work_heard()
    waiting = asyncio.create_task(wait_for_work(20, since=heard))
    await until(lambda: get_feed()._shown)
    processing(1)
    assert await waiting


async def test_work_that_came_between_asking_and_waiting_is_not_overlooked():
    stream = await running_tail()
    heard = work_heard()
    processing(1)
    await until(lambda: work_heard() > heard)
    assert await wait_for_work(20, since=heard)
    await stream.aclose()


async def test_waiting_in_vain_ends_in_time():
    stream = await running_tail()
    assert not await wait_for_work(0.05)
    await stream.aclose()


async def test_a_chunk_that_is_given_back_wakes_whoever_waits():
    processing(1)
    worker()
    (held,) = claim()
    stream = frames("fleet", await arun(queries.events_end()))
    heard = work_heard()
    waiting = asyncio.create_task(wait_for_work(20, since=heard))
    run(reports.fail(name_of(held), "w1", held.chunk.token, "stop", handback=True))
    assert await waiting
    await stream.aclose()


@pytest.mark.parametrize("store", ["memory"], indirect=True)
async def test_an_outage_is_told_and_then_everything_missed_follows(own_engine_server, store):
    outage_store = RedisStore(own_engine_server.url)
    before = engine.use(outage_store)
    try:
        cursor = await arun(queries.events_end())
        stream = frames("fleet", cursor)
        first = submit()
        assert (await next_of(stream))["events"][0]["job_id"] == first.job_id
        await asyncio.to_thread(own_engine_server.kill)
        assert await next_of(stream) == {"engine": "away"}
        await asyncio.to_thread(own_engine_server.start)
        while await next_of(stream) != {"engine": "back"}:
            pass
        await arun(submissions.cancel(first.job_id))
        frame = await next_of(stream)
        assert [event["name"] for event in frame["events"]] == ["job.advanced"]
        await stream.aclose()
        await get_feed().close()
        await outage_store.aclose()
    finally:
        engine.use(before)
        outage_store.close()
