"""Rows 2 and 3: report-and-claim through the services, in batches of ten and one by one."""

from __future__ import annotations

from collections.abc import Iterator

import redis

from benchmarks import fleets
from benchmarks.rows import BLOCKS, Row, make_row, rate_per_s
from orchard.services import exchanges, run
from orchard.services.reports import Report


def measure(client: redis.Redis, count: int) -> Iterator[Row]:
    """Chunks a second, from claim to completion, over bare GETs a second in the same block."""
    client.set("bench:get", b"x" * 300)
    for row, name, batch, goal in (
        ("2", "report and claim, batches of ten", 10, 1.3),
        ("3", "report and claim, one by one", 1, 0.35),
    ):
        values = [_ratio(client, count, batch) for _ in range(BLOCKS)]
        yield make_row(row, name, values, "x GET rate", goal, at_most=False)


def _ratio(client: redis.Redis, count: int, batch: int) -> float:
    rounds = max(1, count // batch)
    fleets.new_work((rounds + 1) * batch)
    worker = fleets.new_worker("bench-batch")
    reports: list[Report] = fleets.claim(worker, batch)

    def exchange() -> None:
        nonlocal reports
        answer = run(exchanges.exchange(worker, reports, max_chunks=batch))
        reports = fleets.as_reports(worker, answer.claimed)

    gets = rate_per_s(lambda: client.get("bench:get"), count)
    rate = rate_per_s(exchange, rounds) * batch
    fleets.complete(reports)
    return rate / gets
