"""Row 1: each transition against a bare GET on a connection of the same kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import redis

from benchmarks import fleets
from benchmarks.rows import Row, make_row, time_pairs
from orchard.services import fleet, pipeline, reports, run
from statecore.store.base import Store
from statecore.store.lastseen import LastSeen

SEEN_GOAL = 1.35
UNSEEN_GOAL = 2.4


def measure(store: Store, client: redis.Redis, count: int) -> Iterator[Row]:
    """One row for each transition; ``count`` runs each."""
    client.set("bench:get", b"x" * 300)

    def get() -> object:
        return client.get("bench:get")

    def forget() -> None:
        store.last_seen = LastSeen()

    fleets.new_work(count * 6)
    worker = fleets.new_worker("bench-1")
    for name, do, before in _transitions(worker):
        values = time_pairs(do, get, count, before)
        yield make_row("1", name, values, "x GET", SEEN_GOAL)
    unseen = time_pairs(lambda: run(fleet.heartbeat(worker)), get, count, forget)
    yield make_row("1", "heartbeat, not seen before", unseen, "x GET", UNSEEN_GOAL)


def _transitions(
    worker: str,
) -> Iterator[tuple[str, Callable[[], object], Callable[[], object]]]:
    held: list[reports.Report] = []

    def take() -> None:
        held[:] = fleets.claim(worker)

    def nothing() -> None:
        return None

    yield "register", lambda: run(fleet.register(name="bench-2")), nothing
    yield "heartbeat", lambda: run(fleet.heartbeat(worker)), nothing
    yield "create", fleets.new_job, nothing
    yield "claim", take, nothing
    yield "progress", lambda: _progress(held[0]), take
    yield "complete", lambda: fleets.complete(held), take
    yield "fail", lambda: _fail(held[0]), take
    yield "advance (claim a stage)", lambda: run(pipeline.claim_stage("bench")), nothing


def _progress(report: reports.Report) -> None:
    run(reports.progress(report.chunk_id, report.worker_id, report.token, 0.5))


def _fail(report: reports.Report) -> None:
    run(reports.fail(report.chunk_id, report.worker_id, report.token, "bench"))
