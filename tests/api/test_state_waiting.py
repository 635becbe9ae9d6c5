"""Answers that wait: watches of a namespace, and locks that others hold."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from django.test import AsyncClient

from orchard.tokens import create_token
from statecore.services import arun, namespaced
from tests.api.fixtures import TokenClient
from tests.services.orchards import submit

WATCH = "/api/v1/state/notes/watch"

pytestmark = pytest.mark.parametrize("store", ["redis"], indirect=True)


@pytest.fixture
def caller(transactional_db: None, store) -> AsyncClient:
    """A program that may change state and hold locks."""
    return TokenClient(create_token("callers", ["state", "issues"])[1])


@pytest.fixture(autouse=True)
async def _ends(store):
    yield
    await store.aclose()


async def watch(client: AsyncClient, cursor: str = "", wait_s: float = 0) -> dict[str, Any]:
    answer = await client.get(f"{WATCH}?cursor={cursor}&wait_s={wait_s}")
    assert answer.status_code == 200, answer.content
    return answer.json()


async def put(key: str, value: Any, namespace: str = "notes") -> None:
    await arun(namespaced.put(namespace, key, value))


async def test_a_watch_tells_each_change_in_order_and_goes_on_from_its_cursor(caller, store):
    cursor = (await watch(caller))["cursor"]
    await put("a", 1)
    await put("a", {"b": 2**70})
    await put("x", "elsewhere", namespace="other")
    await arun(namespaced.delete("notes", "a"))
    first = await watch(caller, cursor)
    told = [(c["key"], c["old"], c["new"]) for c in first["changes"]]
    assert told == [("a", None, 1), ("a", 1, {"b": 2**70}), ("a", {"b": 2**70}, None)]
    assert [c["version"] > 0 for c in first["changes"]] == [True, True, False]
    middle = await watch(caller, first["changes"][1]["cursor"])
    assert middle["changes"] == first["changes"][2:]
    assert (await watch(caller, first["cursor"]))["changes"] == []


async def test_a_waiting_watch_hears_of_a_change_of_another_process_at_once(caller, store):
    cursor = (await watch(caller))["cursor"]
    waiting = asyncio.create_task(watch(caller, cursor, wait_s=60))
    await asyncio.to_thread(submit)  # news of something else does not end the wait
    await asyncio.to_thread(lambda: store.run(namespaced.put("notes", "a", "from a thread")))
    async with asyncio.timeout(10):
        found = await waiting
    assert [change["new"] for change in found["changes"]] == ["from a thread"]


async def test_nothing_is_missed_or_told_twice_while_writers_race(caller, store):
    cursor = (await caller.get("/api/v1/state/notes")).json()["cursor"]

    async def write(name: str) -> None:
        for i in range(30):
            await put(name, i)

    writers = [asyncio.create_task(write(name)) for name in ("a", "b", "c")]
    heard: dict[str, list[int]] = {"a": [], "b": [], "c": []}
    async with asyncio.timeout(30):
        while sum(map(len, heard.values())) < 90:
            found = await watch(caller, cursor, wait_s=5)
            cursor = found["cursor"]
            for change in found["changes"]:
                heard[change["key"]].append(change["new"])
    await asyncio.gather(*writers)
    assert heard == {name: list(range(30)) for name in "abc"}


async def test_a_watch_in_vain_ends_in_time_and_its_cursor_moves_on(caller, store):
    cursor = (await watch(caller))["cursor"]
    await asyncio.to_thread(submit)
    found = await watch(caller, cursor, wait_s=0.1)
    assert found["changes"] == []
    assert found["cursor"] != cursor


async def test_a_large_change_is_told_with_its_values(caller, store):
    cursor = (await watch(caller))["cursor"]
    await put("a", "x" * 100_000)
    assert len((await watch(caller, cursor))["changes"][0]["new"]) == 100_000


async def test_large_changes_come_in_several_answers(caller, store, monkeypatch):
    monkeypatch.setattr("statecore.services.changes.MOST_TEXT", 5_000)
    cursor = (await watch(caller))["cursor"]
    for i in range(5):
        await put("a", str(i) * 3_000)
    heard: list[str] = []
    while len(heard) < 5:
        found = await watch(caller, cursor)
        assert 1 <= len(found["changes"]) <= 2
        heard += [change["new"][0] for change in found["changes"]]
        cursor = found["cursor"]
    assert heard == list("01234")


async def test_a_watch_whose_cursor_is_too_old_is_told_to_read_again(caller, store):
    await put("a", 1)
    found = await watch(caller, "1-0")
    assert (found["reset"], found["changes"]) == (True, [])
    await put("a", 2)
    assert [change["new"] for change in (await watch(caller, found["cursor"]))["changes"]] == [2]


@pytest.mark.parametrize("query", ["cursor=x", "cursor=1-2-3", "wait_s=61", "wait_s=nan",
                                   "wait_s=-1", "limit=0", "limit=x"])  # fmt: skip
async def test_a_watch_that_makes_no_sense_is_400(caller, store, query: str):
    answer = await caller.get(f"{WATCH}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


# -- locks -----------------------------------------------------------------------------


def acquire(client: AsyncClient, owner: str, **more: Any) -> Any:
    body = json.dumps({"owner": owner, **more})
    return client.put("/api/v1/locks/deploy", body, content_type="application/json")


async def test_a_wait_in_vain_for_a_lock_names_the_holder(caller, store):
    await acquire(caller, "ann")
    answer = await acquire(caller, "bob", wait_s=0.1)
    assert (answer.status_code, answer.json()["code"]) == (409, "lock_timeout")
    assert answer.json()["holder"] == "ann"


async def test_a_lock_that_becomes_free_goes_to_whoever_waits(caller, store):
    await acquire(caller, "ann")
    waiting = asyncio.create_task(acquire(caller, "bob", wait_s=30))
    await caller.delete("/api/v1/locks/deploy?owner=ann")
    async with asyncio.timeout(10):
        answer = await waiting
    assert (answer.status_code, answer.json()["owner"]) == (200, "bob")
