"""What is held for a block is kept alive meanwhile, and given back afterwards."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from orchard_client import AsyncClient, Client, Held, LeaseLost, NotFound
from tests.client.conftest import Site

TTL_S = 1.2


def test_an_issue_stays_held_for_longer_than_its_lease(orchard: Client, site: Site):
    with orchard.hold_issue(601, "agent-1", ttl_s=TTL_S) as held:
        stop = time.monotonic() + 2 * TTL_S
        while time.monotonic() < stop:
            with pytest.raises(Held):
                orchard.issues.check_out(601, "agent-2")
            held.require()
            time.sleep(0.2)
        held.result = {"done": 1}
    after = orchard.issues.get(601)
    assert (after.status, after.result, after.process_id) == ("completed", {"done": 1}, None)


async def test_the_same_in_an_event_loop(site: Site):
    async with AsyncClient(site.url, site.token) as client:
        async with client.hold_issue(602, "agent-1", ttl_s=TTL_S) as held:
            await asyncio.sleep(1.5 * TTL_S)
            held.require()
            with pytest.raises(Held):
                await client.issues.check_out(602, "agent-2")
            held.status = "awaiting-response"
        assert (await client.issues.get(602)).status == "awaiting-response"


def test_a_block_that_fails_checks_its_issue_in_as_an_error(orchard: Client):
    with pytest.raises(ZeroDivisionError), orchard.hold_issue(603, "agent-1"):
        _ = 1 / 0
    after = orchard.issues.get(603)
    assert (after.status, after.process_id) == ("error", None)
    assert after.result == {"error": "ZeroDivisionError: division by zero"}


def test_whoever_loses_an_issue_is_told_and_changes_nothing(orchard: Client):
    told, tokens = threading.Event(), []

    def work() -> None:
        with orchard.hold_issue(604, "agent-1", ttl_s=TTL_S, on_lost=told.set) as held:
            orchard.issues.reset(604)
            tokens.append(orchard.issues.check_out(604, "agent-2").token)
            assert told.wait(10)
            assert held.lost

    with pytest.raises(LeaseLost):
        work()
    after = orchard.issues.get(604)
    assert (after.process_id, after.token) == ("agent-2", tokens[0])


def test_a_lock_is_held_for_a_block(orchard: Client):
    with orchard.hold_lock("deploy", "me", ttl_s=TTL_S) as held:
        time.sleep(1.5 * TTL_S)
        assert orchard.locks.get("deploy").token == held.token
        with pytest.raises(Held), orchard.hold_lock("deploy", "you"):
            pass
        assert "deploy" in [lock.name for lock in orchard.locks.list()]
    with pytest.raises(NotFound):
        orchard.locks.get("deploy")
