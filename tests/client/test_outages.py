"""What becomes of clients while the engine or the web process is away."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from orchard_client import AsyncClient, Client, Namespace, Unavailable, Unreachable
from tests.client.conftest import Site, sound


def meanwhile(do: Callable[[], object]) -> threading.Thread:
    """Something that happens while the test waits for something else."""
    thread = threading.Thread(target=do)
    thread.start()
    return thread


def test_what_may_be_repeated_waits_for_the_engine(site: Site):
    with site.client(patience_s=60) as patient, site.client(patience_s=0.5) as hasty:
        hasty.state.set("away", "k", 1)
        site.engine.kill()
        begun = time.monotonic()
        with pytest.raises(Unavailable) as away:
            hasty.state.get("away", "k")
        assert (away.value.code, away.value.retry_after_s) == ("engine_away", 2.0)
        assert time.monotonic() - begun < 10
        assert hasty.site.health().status == "not ready"
        back = meanwhile(site.engine.start)
        try:
            assert patient.state.get("away", "k").value == 1
            assert patient.jobs.submit(sound(), name="late.wav").filename == "late.wav"
        finally:
            back.join()


def test_what_may_not_be_repeated_is_not(site: Site):
    with site.client(patience_s=60) as client:
        job = client.jobs.submit(sound())
        site.engine.kill()
        try:
            with pytest.raises(Unavailable):
                client.jobs.cancel(job.job_id)
        finally:
            site.engine.start()
        assert client.jobs.get(job.job_id).status == "created"


def test_a_feed_goes_on_where_it_was_when_the_server_is_back(site: Site):
    names: list[str] = []
    begun, done = threading.Event(), threading.Event()

    def follow() -> None:
        with site.client() as client:
            for event in client.events.follow(names=["issue"]):
                if event.facts.get("issue") == 700:
                    begun.set()
                elif event.facts.get("issue") == 701:
                    names.append(event.name)
                if names[-1:] == ["issue.checked_in"]:
                    done.set()
                    return

    follower = meanwhile(follow)
    with site.client() as client:
        while not begun.wait(0.1):
            client.issues.check_out(700, "a")
            client.issues.check_in(700, process_id="a")
        client.issues.check_out(701, "a")
        site.server.stop()
        site.server.start()
        client.issues.heartbeat(701, process_id="a")
        client.issues.check_in(701, process_id="a")
    assert done.wait(60)
    follower.join()
    assert names == ["issue.checked_out", "issue.renewed", "issue.checked_in"]


async def test_a_watch_tells_each_change_and_begins_with_all_of_it(site: Site):
    async with AsyncClient(site.url, site.token) as client:
        await client.state.replace("watched", {"a": 1})
        seen: list[object] = []
        async with asyncio.timeout(60):
            async for change in client.state.watch("watched", initial=True):
                if isinstance(change, Namespace):
                    seen.append(change.values)
                    await client.state.set("watched", "a", 2)
                    await client.state.delete("watched", "a")
                    continue
                seen.append((change.key, change.old, change.new))
                if change.new is None:
                    break
    assert seen == [{"a": 1}, ("a", 1, 2), ("a", 2, None)]


def test_new_log_lines_are_told_once_each(site: Site, orchard: Client):
    def line(i: int) -> dict[str, object]:
        return {"message": f"followed {i}", "worker": "w-follow"}

    orchard.logs.send([line(i) for i in range(5)])
    told: list[str] = []
    for found in orchard.logs.follow(last=2, worker="w-follow"):
        told.append(found.message)
        if len(told) in (2, 4):
            orchard.logs.send([line(len(told) + 3), line(len(told) + 4)])
        if len(told) == 6:
            break
    assert told == [f"followed {i}" for i in range(3, 9)]


def test_who_is_not_there_is_said_to_be_unreachable():
    with (
        Client("http://127.0.0.1:9", "x", patience_s=0) as client,
        pytest.raises(Unreachable, match=r"http://127\.0\.0\.1:9 does not answer"),
    ):
        client.workers.list()
