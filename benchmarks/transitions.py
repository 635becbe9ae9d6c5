"""Row 1: each transition against a bare GET on a connection of the same kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import redis

from benchmarks import fleets
from benchmarks.rows import Row, make_row, time_pairs
from orchard.services import fleet, pipeline, reports, run
from orchard.services.said import Report
from statecore.store.base import Store
from statecore.store.lastseen import LastSeen

SEEN_GOAL = 1.35
UNSEEN_GOAL = 2.4
FEW, MANY, SIZE_GOAL = 10, 1_000, 1.3
"""Chunks of a small and of a large job, and how much dearer a completion may be in the large."""


def measure(store: Store, client: redis.Redis, count: int) -> Iterator[Row]:
    """One row for each transition; ``count`` runs each."""
    client.set("bench:get", b"x" * 300)

    def get() -> object:
        return client.get("bench:get")

    def forget() -> None:
        store.last_seen = LastSeen()

    fleets.new_work(count * 4 + 100)
    worker = fleets.new_worker("bench-1")
    for transition in _transitions(worker):
        do, before = transition.do, transition.before
        yield make_row("1", transition.name, time_pairs(do, get, count, before), "x GET", SEEN_GOAL)
        transition.after()
    unseen = time_pairs(lambda: run(fleet.heartbeat(worker)), get, count, forget)
    yield make_row("1", "heartbeat, not seen before", unseen, "x GET", UNSEEN_GOAL)


def measure_size(count: int) -> Iterator[Row]:
    """Whether the completion of a chunk costs more in a job of many chunks than in one of few."""
    pools = _Pools()
    ratios = time_pairs(
        lambda: fleets.complete([pools.large.pop()]),
        lambda: fleets.complete([pools.small.pop()]),
        count, pools.refill,
    )  # fmt: skip
    name = f"complete, a job of {MANY:,} chunks"
    yield make_row("5", name, ratios, f"x one of {FEW}", SIZE_GOAL)


class _Pools:
    """Chunks at hand of a large job and of small ones, a score for each worker."""

    def __init__(self) -> None:
        self.small: list[Report] = []
        self.large: list[Report] = []
        self._job, self._left, self._workers = "", 0, 0

    def refill(self) -> None:
        """Have at least one chunk of either kind at hand."""
        while not (self.small and self.large):
            if not self.small:
                fleets.new_work(FEW)
            if not self._left:
                self._job, self._left = fleets.new_work(MANY), MANY
            self._workers += 1
            for one in fleets.claim(fleets.new_worker(f"bench-{self._workers}"), 2 * FEW):
                is_large = one.chunk_id.startswith(self._job)
                self._left -= is_large
                (self.large if is_large else self.small).append(one)


class _Hold:
    """The chunk that a worker has at hand: never more than one, as in life."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._held: list[Report] = []

    def take(self) -> None:
        """Have one chunk at hand."""
        self._held = self._held or fleets.claim(self._worker)

    def finish(self) -> None:
        """Report the chunk at hand, if there is one."""
        if self._held:
            self.complete()

    def complete(self) -> None:
        """Report the chunk at hand as done."""
        fleets.complete(self._held)
        self._held = []

    def progress(self) -> None:
        """Tell how far it is."""
        (one,) = self._held
        run(reports.progress(one.chunk_id, one.worker_id, one.token, 0.5))

    def fail(self) -> None:
        """Say that it could not be done."""
        (one,) = self._held
        self._held = []
        run(reports.fail(one.chunk_id, one.worker_id, one.token, "bench"))


class _Transition(NamedTuple):
    name: str
    do: Callable[[], object]
    before: Callable[[], object] = lambda: None
    after: Callable[[], object] = lambda: None


def _transitions(worker: str) -> Iterator[_Transition]:
    hold = _Hold(worker)
    yield _Transition("register", lambda: run(fleet.register(name="bench-2")))
    yield _Transition("heartbeat", lambda: run(fleet.heartbeat(worker)))
    yield _Transition("create", fleets.new_job)
    yield _Transition("claim", hold.take, hold.finish, hold.finish)
    yield _Transition("progress", hold.progress, hold.take, hold.finish)
    yield _Transition("complete", hold.complete, hold.take)
    yield _Transition("fail", hold.fail, hold.take)
    yield _Transition("advance (claim a stage)", lambda: run(pipeline.claim_stage("bench")))
