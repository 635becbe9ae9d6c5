"""The state side over the live socket: each topic has its own events, and no others."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest
from django.contrib.auth.models import AnonymousUser

from orchard.live.frames import make_entry, select
from orchard.live.topics import check_topic
from orchard.services import arun, queries
from orchard.tokens import SCOPES, create_token
from statecore.domain.issues import Claimant, Holder
from statecore.services import checkouts, locks, namespaced, processes
from tests.live.conftest import socket
from tests.services.orchards import submit

# A socket that ends gives its database connection back.
pytestmark = pytest.mark.django_db(transaction=True)

READERS = {"fleet": {"read"}, "job:x": {"read"}, "state": {"read", "state"}} | {
    topic: {"read", "issues"} for topic in ("issues", "issue:7", "processes", "locks", "labels")
}
READERS["state:notes"] = READERS["state"]


async def all_that_happens() -> None:
    """Something of every kind."""
    await asyncio.to_thread(submit)
    await arun(checkouts.check_out(7, Holder(process_id="p1")))
    await arun(checkouts.check_out(8, Holder(process_id="p1")))
    await arun(processes.register("p2"))
    await arun(locks.acquire("deploy", "ann"))
    await arun(namespaced.put("notes", "a", "secret"))
    await arun(namespaced.put("other", "b", 1))
    await arun(checkouts.check_in(7, claimant=Claimant(process_id="p1")))
    await arun(namespaced.delete("notes", "a"))
    await arun(checkouts.reset(8))
    await arun(locks.release("deploy", "ann"))
    await arun(processes.clean_up("p2"))
    await asyncio.to_thread(submit)


OUT, IN, CHANGED, QUEUED = "issue.checked_out", "issue.checked_in", "state.changed", "label.queued"
TOLD = {
    "fleet": ["job.created", "job.created"],
    "issues": [OUT, OUT, IN, "issue.reset"],
    "issue:7": [OUT, QUEUED, IN, QUEUED],
    "processes": ["process.registered", "process.ended"],
    "locks": ["lock.acquired", "lock.released"],
    "labels": [QUEUED] * 4,
    "state:notes": [CHANGED, CHANGED],
    "state:other": [CHANGED],
}


@pytest.mark.parametrize("topic", TOLD)
async def test_a_topic_has_its_own_events_in_order_and_no_others(topic: str):
    ears = await socket(topic, await arun(queries.events_end())).open()
    await all_that_happens()
    heard: list[dict] = []
    while len(heard) < len(TOLD[topic]):
        heard += (await ears.frame())["events"]
    assert sorted(e["name"] for e in heard) == sorted(TOLD[topic])
    times = [datetime.fromisoformat(event["at"]) for event in heard]
    assert times == sorted(times)
    if not topic.startswith("state"):
        assert "secret" not in str(heard)
    await ears.disconnect()


async def test_the_topic_of_all_state_has_every_namespace():
    ears = await socket("state", await arun(queries.events_end())).open()
    await all_that_happens()
    spaces: set[str] = set()
    while not spaces >= {"notes", "other", "issues"}:
        spaces |= {event["namespace"] for event in (await ears.frame())["events"]}
    await ears.disconnect()


async def test_of_many_heartbeats_of_an_issue_the_latest_is_enough():
    await arun(checkouts.check_out(7, Holder(process_id="p1")))
    cursor = await arun(queries.events_end())
    for _ in range(20):
        await arun(checkouts.heartbeat(7))
    await arun(checkouts.check_in(7))
    ears = await socket("issue:7", cursor).open()
    names = await ears.names_until(IN)
    assert names.count("issue.renewed") == 1
    assert names.index("issue.renewed") < names.index(IN)
    await ears.disconnect()


@pytest.mark.parametrize("topic", READERS)
async def test_a_topic_is_open_to_the_scopes_that_may_read_it(topic: str):
    for scope in SCOPES:
        _, secret = await asyncio.to_thread(create_token, scope, [scope])
        ears = await socket(topic, await arun(queries.events_end()), token=secret).open()
        if scope in READERS[topic] | {"admin"}:
            await ears.disconnect()
        else:
            assert await ears.close_code() == 4403, scope


@pytest.mark.parametrize("topic", READERS)
async def test_strangers_follow_nothing(topic: str):
    ears = await socket(topic, user=AnonymousUser()).open()
    assert await ears.close_code() == 4401


@pytest.mark.parametrize(
    "topic",
    ["issue:", "issue:x", "issue:-1", "issue:٣", "issue:" + "1" * 17, "state:", "process:p1",
     "lock:deploy", "state:" + "x" * 201, "state:a\nb", "ISSUES", "issues:7"],
)  # fmt: skip
async def test_topics_that_do_not_exist_are_refused(topic: str):
    assert not check_topic(topic)
    assert await (await socket(topic).open()).close_code() == 4400


async def test_noise_of_the_state_side_does_not_make_a_fleet_page_start_over(monkeypatch):
    monkeypatch.setattr("orchard.live.feed.MAX_BEHIND", 20)
    cursor = await arun(queries.events_end())
    for i in range(100):
        await arun(namespaced.put("notes", "a", i))
    job = await asyncio.to_thread(submit)
    ears = await socket("fleet", cursor).open()
    assert [event["job_id"] for event in (await ears.frame())["events"]] == [job.job_id]
    await ears.disconnect()


@pytest.mark.parametrize(
    ("raw", "topics"),
    [
        (b'{"name":"issue.praised","at":"x","issue":7,"by":{"z":1}}', {"issues", "issue:7"}),
        (b'{"name":"job.sung","job_id":"j"}', {"fleet", "job:j"}),
        (b'{"name":"recording.heard"}', {"fleet"}),
        (b'{"name":"state.moved","namespace":"n"}', {"state", "state:n"}),
        (b"no json", set()),
        (b'{"name":5}', set()),
        (b"[]", set()),
    ],
)
def test_events_of_newer_programs_are_passed_on_to_their_topics(raw: bytes, topics: set[str]):
    entry = make_entry("1-0", raw)
    assert entry.topics == topics
    for topic in ("fleet", "issues", "issue:7", "job:j", "state:n"):
        assert select([entry], topic) == ([entry] if topic in topics else [])
