"""Rows 2 and 3: report-and-claim through the services, in batches of ten and one by one."""

from __future__ import annotations

from collections.abc import Iterator

import redis

from benchmarks import fleets
from benchmarks.rows import BLOCKS, Row, make_row, rate_per_s
from orchard.domain.timeline import ChunkResult
from orchard.services import exchanges, run
from orchard.services.said import Report

_GOALS = {10: ("2", "report and claim, batches of ten", 1.3),
          1: ("3", "report and claim, one by one", 0.35)}  # fmt: skip


def measure(
    client: redis.Redis, count: int, batch: int, result: ChunkResult = fleets.RESULT
) -> Iterator[Row]:
    """Chunks a second, from claim to completion, over bare GETs a second in the same block."""
    client.set("bench:get", b"x" * 300)
    row, name, goal = _GOALS[batch]
    values = [_ratio(client, count, batch, result) for _ in range(BLOCKS)]
    yield make_row(row, name, values, "x GET rate", goal, at_most=False)


def _ratio(client: redis.Redis, count: int, batch: int, result: ChunkResult) -> float:
    rounds = max(1, count // batch)
    fleets.new_work((rounds + 1) * batch)
    worker = fleets.new_worker("bench-batch")
    reports: list[Report] = fleets.claim(worker, batch)

    def exchange() -> None:
        nonlocal reports
        answer = run(exchanges.exchange(worker, reports, max_chunks=batch))
        reports = fleets.as_reports(worker, answer.claimed, result)

    gets = rate_per_s(lambda: client.get("bench:get"), count)
    rate = rate_per_s(exchange, rounds) * batch
    fleets.complete(reports)
    return rate / gets
