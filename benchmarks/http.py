"""Row 4: signs of life and exchanges over HTTP, against a bare view of the same web process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from benchmarks import fleets
from benchmarks.rows import Row, make_row, time_pairs
from benchmarks.site import Connection, running_site
from benchmarks.site_urls import BARE

BATCH = 10
WORKER = "bench-http"
HEARTBEAT_GOAL, EXCHANGE_GOAL = 0.7, 0.5


def measure(engine: str, count: int) -> Iterator[Row]:
    """How often a second each can be done, over how often the bare view can; one connection."""
    rounds = max(10, count // 5)
    fleets.new_work((rounds + 2) * BATCH)
    worker = fleets.new_worker(WORKER)
    with running_site(engine) as site:
        connection = Connection(site)
        beat = msgspec.json.encode({"leases": []})

        def bare() -> object:
            return connection.post(BARE, beat)

        def heartbeat() -> object:
            return connection.post(f"api/v1/workers/{worker}/heartbeat", beat)

        for _ in range(10):  # the first requests load what the others find
            bare()
            heartbeat()
        yield _row("heartbeat over HTTP", heartbeat, bare, rounds, HEARTBEAT_GOAL)
        exchange = _Exchange(connection, worker)
        name = "exchange of ten chunks over HTTP"
        yield _row(name, exchange, bare, rounds, EXCHANGE_GOAL)
        connection.close()


class _Exchange:
    """Reports what the exchange before brought, and gets as much again."""

    def __init__(self, connection: Connection, worker: str) -> None:
        self._connection = connection
        self._path = f"api/v1/workers/{worker}/exchange"
        self._held: list[dict[str, Any]] = []

    def __call__(self) -> None:
        results = [
            {"chunk_id": one["chunk_id"], "token": one["token"], "time_ms": 900,
             "text": fleets.RESULT.text}
            for one in self._held
        ]  # fmt: skip
        body = msgspec.json.encode({"results": results, "max": BATCH})
        told = msgspec.json.decode(self._connection.post(self._path, body))
        self._held = told["chunks"]


def _row(
    name: str, do: Callable[[], object], bare: Callable[[], object], rounds: int, goal: float
) -> Row:
    ratios = [1 / ratio for ratio in time_pairs(do, bare, rounds)]
    return make_row("4", name, ratios, "x bare view", goal, at_most=False)
