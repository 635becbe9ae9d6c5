"""Row 6: what a waiting chunk and a finished job take up in the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import redis
from msgspec import structs

from benchmarks import fleets
from benchmarks.rows import BLOCKS, Row, make_row
from benchmarks.scratch import scratch_engine
from orchard import keys
from orchard.domain.timeline import ChunkResult
from orchard.services import reports, run

CHUNK_GOAL_B, JOB_GOAL_B = 600.0, 6_000.0
CHUNKS_OF_JOB = 20
_ASIDE = {keys.EVENTS}
"""The events are as many as they may be, whatever there is; they are no part of a chunk or job."""


def measure(count: int) -> Iterator[Row]:
    """Bytes of a chunk that waits, and of a job of 20 chunks that has ended; without the text."""
    with scratch_engine() as (_, client, _):
        waiting = [_cost(client, lambda: fleets.new_work(count), count) for _ in range(BLOCKS)]
    yield make_row("6", "engine memory of a waiting chunk", waiting, "bytes", CHUNK_GOAL_B)
    with scratch_engine() as (_, client, _):
        worker = fleets.new_worker("bench-memory")
        jobs = max(10, count // CHUNKS_OF_JOB)
        ended = [_cost(client, lambda: _finish(worker, jobs), jobs) for _ in range(BLOCKS)]
    name = f"engine memory of a finished job of {CHUNKS_OF_JOB} chunks"
    yield make_row("6", name, ended, "bytes", JOB_GOAL_B)


def _finish(worker: str, jobs: int) -> None:
    """Jobs that have ended, in which nothing was said."""
    empty = ChunkResult(text="", time_ms=900, segments=())
    for _ in range(jobs):
        job_id = fleets.new_work(CHUNKS_OF_JOB)
        held = fleets.claim(worker, CHUNKS_OF_JOB)
        run(reports.complete_many([structs.replace(one, result=empty) for one in held]))
        fleets.finish_job(job_id)


def _cost(client: redis.Redis, make: Callable[[], object], count: int) -> float:
    before = _held(client)
    make()
    return (_held(client) - before) / count


def _held(client: redis.Redis) -> int:
    """Bytes of all keys, each with its name and its place in the engine's tables."""
    names = [key for key in client.scan_iter(count=1000) if key.decode() not in _ASIDE]
    pipe = client.pipeline(transaction=False)
    for name in names:
        pipe.memory_usage(name, samples=0)
    return sum(pipe.execute())
