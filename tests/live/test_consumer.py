"""The live socket: who is let in, and that nobody misses anything."""

from __future__ import annotations

import asyncio

import pytest
from django.contrib.auth.models import AnonymousUser

from orchard.live.frames import AWAY, BACK
from orchard.services import arun, fleet, queries, reports, run, submissions
from orchard.tokens import create_token
from tests.live.conftest import socket
from tests.services.orchards import claim, complete, name_of, processing, submit, worker

# A socket that ends gives its database connection back.
pytestmark = pytest.mark.django_db(transaction=True)


async def now() -> str:
    return await arun(queries.events_end())


async def test_an_event_reaches_a_socket_that_was_open_before_it():
    ears = await socket(cursor=await now()).open()
    job = submit()
    frame = await ears.frame()
    assert [event["name"] for event in frame["events"]] == ["job.created"]
    assert frame["events"][0]["job_id"] == job.job_id
    assert frame["cursor"] == await now()
    await ears.disconnect()


async def test_a_socket_gets_what_happened_between_its_snapshot_and_its_opening():
    cursor = await now()
    ids = [submit().job_id for _ in range(700)]
    ears = await socket(cursor=cursor).open()
    heard: list[str] = []
    while len(heard) < len(ids):
        heard += [event["job_id"] for event in (await ears.frame())["events"]]
    assert heard == ids
    await ears.disconnect()


async def test_a_socket_that_comes_back_with_its_cursor_has_missed_nothing_and_gets_nothing_twice():
    heard: list[str] = []
    cursor, ids = await now(), []
    for _ in range(5):
        ids.append(submit().job_id)
        ears = await socket(cursor=cursor).open()
        frame = await ears.frame()
        heard += [event["job_id"] for event in frame["events"]]
        cursor = frame["cursor"]
        await ears.disconnect()
        ids.append(submit().job_id)
    ears = await socket(cursor=cursor).open()
    heard += [event["job_id"] for event in (await ears.frame())["events"]]
    assert heard == ids
    await ears.disconnect()


async def test_sockets_of_one_process_share_one_tail_and_see_the_same():
    cursor = await now()
    ears = [await socket(cursor=cursor).open() for _ in range(20)]
    job = submit()
    for one in ears:
        assert (await one.frame())["events"][0]["job_id"] == job.job_id
    tails = [task for task in asyncio.all_tasks() if task.get_name() == "live feed"]
    assert len(tails) == 1
    for one in ears:
        await one.disconnect()


async def test_a_job_topic_tells_of_that_job_alone():
    cursor = await now()
    mine, other = submit(), submit()
    ears = await socket(f"job:{mine.job_id}", cursor).open()
    await arun(submissions.cancel(other.job_id))
    await arun(submissions.cancel(mine.job_id))
    assert await ears.names_until("job.advanced") == ["job.created", "job.advanced"]
    await ears.disconnect()


async def test_of_many_progress_events_the_latest_arrives_and_every_change_of_state_does():
    processing(3)
    worker()
    held = claim(count=3)
    cursor = await now()
    for step in range(1, 100):
        await arun(reports.progress(name_of(held[0]), "w1", held[0].chunk.token, step / 100))
    for one in held:
        complete(one)
    ears = await socket(cursor=cursor).open()
    frames, names = [], []
    while names.count("chunk.completed") < 3:
        frames.append(await ears.frame())
        names += [event["name"] for event in frames[-1]["events"]]
    assert names.count("chunk.progressed") == 1
    progress = [e for f in frames for e in f["events"] if e["name"] == "chunk.progressed"]
    assert progress[0]["progress"] == 0.99
    await ears.disconnect()


async def test_a_busy_fleet_makes_no_more_than_ten_frames_a_second():
    processing(1)
    worker()
    (held,) = claim()
    ears = await socket(cursor=await now()).open()
    loop = asyncio.get_running_loop()
    began, last, frames = loop.time(), 0.0, 0
    work = asyncio.create_task(_progress(held))
    while last < 0.5:
        for event in (await ears.frame())["events"]:
            last = event.get("progress", last)
        frames += 1
    await work
    assert frames <= 10 * (loop.time() - began) + 2
    await ears.disconnect()


async def _progress(held) -> None:
    for step in range(1, 51):
        await arun(reports.progress(name_of(held), "w1", held.chunk.token, step / 100))
        await asyncio.sleep(0.01)


async def test_a_socket_whose_cursor_is_gone_is_told_to_read_a_snapshot():
    submit()
    ears = await socket(cursor="1-0").open()
    assert await ears.frame() == {"reset": True}
    assert await ears.close_code() == 4410


@pytest.mark.parametrize("cursor", ["rubbish", "9" * 190, "-1", "0-0-0", "٣-٣"])
async def test_a_cursor_that_is_none_is_answered_by_a_reset(cursor):
    submit()
    ears = await socket(cursor=cursor).open()
    assert await ears.frame() == {"reset": True}


async def test_a_socket_that_is_too_far_behind_is_reset_instead_of_flooded(monkeypatch):
    monkeypatch.setattr("orchard.live.feed.MAX_BEHIND", 50)
    cursor = await now()
    for _ in range(60):
        submit()
    ears = await socket(cursor=cursor).open()
    assert await ears.frame() == {"reset": True}


async def test_strangers_are_refused():
    ears = await socket(user=AnonymousUser()).open()
    assert await ears.close_code() == 4401


@pytest.mark.parametrize("topic", ["", "all", "job:", "job:" + "x" * 65])
async def test_topics_that_do_not_exist_are_refused(topic):
    ears = await socket(topic).open()
    assert await ears.close_code() == 4400


async def test_programs_follow_with_a_token_that_may_read():
    _, secret = await asyncio.to_thread(create_token, "eyes", ["read"])
    ears = await socket(cursor=await now(), token=secret).open()
    submit()
    assert (await ears.frame())["events"]
    await ears.disconnect()


async def test_programs_without_that_scope_and_wrong_tokens_are_refused():
    _, secret = await asyncio.to_thread(create_token, "hands", ["worker"])
    assert await (await socket(token=secret).open()).close_code() == 4403
    assert await (await socket(token="wrong").open()).close_code() == 4401


async def test_what_a_client_says_changes_nothing():
    ears = await socket(cursor=await now()).open()
    await ears.say(text="{not json")
    await ears.say(bytes=b"\x00\xff")
    submit()
    assert (await ears.frame())["events"]
    await ears.disconnect()


async def test_every_socket_hears_of_drains_by_other_processes():
    worker("w1")
    ears = await socket(cursor=await now()).open()
    await asyncio.to_thread(run, fleet.drain("w1"))
    event = (await ears.frame())["events"][0]
    assert (event["name"], event["draining"]) == ("worker.changed", True)
    await ears.disconnect()


def test_the_frames_of_the_engine_are_what_the_page_expects():
    assert (AWAY, BACK) == ('{"engine":"away"}', '{"engine":"back"}')
