"""A primary whose replica is cut off is lost: what that takes along is caught by the checks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from orchard.services import engine
from orchard.services.claims import Claimed
from orchard.services.engine import EngineAway
from statecore.store.redis import RedisStore
from tests.faults.cuts import Cable, cable
from tests.faults.evidence import FOREVER, Told
from tests.faults.failovers import find_lost
from tests.servers import ServerProcess, until
from tests.services.orchards import claim, complete, name_of, processing, worker


class Pair:
    """A primary, and a replica that hears from it by a cable."""

    def __init__(self, primary: ServerProcess, replica: ServerProcess, line: Cable) -> None:
        self.primary, self.replica, self.line = primary, replica, line
        replica.client.replicaof("127.0.0.1", urlsplit(line.url).port)
        self.await_replica()

    def await_replica(self) -> None:
        """Wait until the replica has all that the primary has."""
        until(lambda: self.replica.client.info("replication")["master_link_status"] == "up")
        until(lambda: _offset(self.replica) == _offset(self.primary))

    def fail_over(self) -> None:
        """The primary dies, and the replica takes its place as it is."""
        self.primary.kill()
        self.replica.client.replicaof("NO", "ONE")


def _offset(server: ServerProcess) -> int:
    return int(server.client.info("replication")["master_repl_offset"])


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    primary, replica = (ServerProcess(tmp_path / name) for name in ("primary", "replica"))
    with ExitStack() as stack:
        for server in (primary, replica):
            stack.callback(server.close)
            server.start()
            server.await_answer()
        yield Pair(primary, replica, stack.enter_context(cable(primary.port)))


def at(server: ServerProcess, durability: str) -> RedisStore:
    return RedisStore(f"redis://127.0.0.1:{server.port}?durability={durability}")


def report(held: Claimed) -> Told:
    """What the worker was told when it reported the chunk as done."""
    began, ended, answer = time.monotonic(), FOREVER, ""
    try:
        complete(held)
        ended, answer = time.monotonic(), "yes"
    except EngineAway:
        pass
    return Told("complete", name_of(held), held.chunk.token, "w1", began, ended, answer)


@pytest.mark.parametrize(("durability", "caught"), [("local", 1), ("replicated", 0)])
def test_what_was_acknowledged_before_a_replica_had_it_is_found_lost(pair, durability, caught):
    store = at(pair.primary, durability)
    before = engine.use(store)
    try:
        job_id = processing(2).job_id
        worker()
        held = claim(count=2)
        told = [report(held[0])]
        pair.await_replica()
        pair.line.cut(hard=False)
        told.append(report(held[1]))
    finally:
        engine.use(before)
        store.close()
    assert [one.answer for one in told] == ["yes", "yes" if caught else ""]
    pair.fail_over()
    after = at(pair.replica, "local")
    lost = find_lost(after, told, [job_id])
    after.close()
    assert len(lost) == caught
    assert all("complete" in one and "chunk is running" in one for one in lost)


def test_a_job_and_a_claim_that_were_lost_are_found_as_well(pair):
    store = at(pair.primary, "local")
    before = engine.use(store)
    try:
        kept = processing(1).job_id
        worker()
        pair.await_replica()
        pair.line.cut(hard=False)
        (held,) = claim()
        gone = processing(1).job_id
    finally:
        engine.use(before)
        store.close()
    pair.fail_over()
    told = Told("claim", name_of(held), held.chunk.token, "w1", 0.0, 1.0, "yes")
    after = at(pair.replica, "local")
    lost = find_lost(after, [told], [kept, gone])
    after.close()
    assert [one.split(" was ")[1][:8] for one in lost] == ["accepted", "acknowle"]
