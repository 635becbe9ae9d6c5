"""Row 5: what lists, counts, claims and pages cost with a million jobs, against a thousand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from datetime import UTC, datetime

import msgspec
import redis
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import RequestFactory

from benchmarks import fleets
from benchmarks.rows import BLOCKS, Row, make_row
from orchard import codec, keys
from orchard.domain.jobs import Job, create_job
from orchard.domain.lifecycle import JobStatus
from orchard.live import following
from orchard.services import arun, counts, queries, run, submissions
from orchard.web import fragments, job_list, pages

FEW, MANY = 1_000, 1_000_000
GOAL = 1.2
BATCH = 5_000
SETTLE_S = 120.0
ENGINE_TIMES = ("used_cpu_user", "used_cpu_sys")


def measure(client: redis.Redis, count: int) -> Iterator[Row]:
    """One row for each thing that must not depend on the number of jobs."""
    _fill(client, 0, FEW)
    work = fleets.new_work(count)
    worker = fleets.new_worker("bench-1")
    with asyncio.Runner() as loop:
        actions = _actions(worker) | {"live update": lambda: loop.run(_see_a_change())}
        few = {name: _cost(do, client, count) for name, do in actions.items()}
        _fill(client, FEW, MANY)
        _settle(client)
        # The first page holds one job at work then and now.
        run(submissions.remove(work))
        fleets.new_work(count)
        fleets.new_worker("bench-1")  # filling may take longer than a silent worker is remembered
        for name, do in actions.items():
            many = _cost(do, client, count)
            ratios = [one / other for one, other in zip(many, few[name], strict=True)]
            yield make_row("5", f"{name}, a million jobs", ratios, "x a thousand", GOAL)


def _actions(worker: str) -> dict[str, Callable[[], object]]:
    return {
        "/stats": lambda: run(counts.get_stats()),
        "first page of /jobs": lambda: run(queries.list_jobs(limit=50)),
        "claim": lambda: fleets.claim(worker),
        "overview page": lambda: _visit(pages.overview, "/"),
        "page of jobs": lambda: _visit(job_list.jobs, "/ui/jobs/"),
    }


async def _see_a_change() -> None:
    """From a change in the engine to the page that shows it: event, frame, new rows."""
    cursor = await arun(queries.events_end())  # before the change, which would be missed otherwise
    async with aclosing(_frames(cursor)) as told:
        first = asyncio.ensure_future(anext(told))
        await asyncio.sleep(0)
        job = await arun(
            submissions.create("live.wav", "", 1, owner="bench", use_purifier=False)
        )  # fmt: skip
        frame = await first
        while job.job_id not in frame:
            frame = await anext(told)
    await asyncio.to_thread(_visit, job_list.job_rows, f"/ui/jobs/rows?new={job.job_id}")
    await asyncio.to_thread(_visit, fragments.numbers, "/ui/numbers")
    await arun(submissions.remove(job.job_id))  # so that the lists are as they were


async def _frames(cursor: str) -> AsyncGenerator[str, None]:
    async for frame in following.frames("fleet", cursor):
        yield frame


def _visit(view: Callable[..., HttpResponse], path: str) -> None:
    request = RequestFactory().get(path, SERVER_NAME="127.0.0.1")
    request.user = User(username="bench", is_staff=True)
    assert view(request).status_code == 200


def _cost(do: Callable[[], object], client: redis.Redis, count: int) -> list[float]:
    """Processor time of one run, ours and the engine's, in seconds: one figure for each block.

    Processor time, because the two figures that are compared are taken minutes apart,
    while the machine may do something else.
    """
    runs = max(1, count // BLOCKS)
    costs = []
    for _ in range(BLOCKS):
        before = _worked_s(client)
        for _ in range(runs):
            do()
        costs.append((_worked_s(client) - before) / runs)
    return sorted(costs)


def _worked_s(client: redis.Redis) -> float:
    """Processor time so far of this process, and of the engine's thread that answers."""
    spent = client.info("cpu")
    engine = (float(spent.get(f"{kind}_main_thread", spent[kind])) for kind in ENGINE_TIMES)
    return time.process_time() + sum(engine)


def _settle(client: redis.Redis) -> None:
    """Wait until the engine has written down what it was filled with."""
    deadline = time.monotonic() + SETTLE_S
    while client.info("persistence")["aof_rewrite_in_progress"] and time.monotonic() < deadline:
        time.sleep(0.1)


def _fill(client: redis.Redis, first: int, last: int) -> None:
    """Finished jobs as the services would have left them, written at once."""
    done = _done_job()
    for begin in range(first, last, BATCH):
        pipe = client.pipeline(transaction=False)
        for i in range(begin, min(begin + BATCH, last)):
            job = msgspec.structs.replace(done, job_id=f"{i:016x}")
            pipe.set(keys.job(job.job_id), codec.encode_job(job), px=3_600_000)
        names = range(begin, min(begin + BATCH, last))
        places = {f"{i:016x}": float(1_700_000_000_000 + i) for i in names}
        expiry = dict.fromkeys(places, 4000000000000.0)
        pipe.zadd(keys.JOBS, places)
        pipe.zadd(keys.jobs_in(JobStatus.COMPLETED), expiry)
        pipe.execute()


def _done_job() -> Job:
    at = datetime.now(UTC)
    job = create_job(
        "x", "talk.wav", "jobs/x/source.wav", 5_000_000, owner="bench", use_purifier=True,
        language="", at=at,
    ).job  # fmt: skip
    return msgspec.structs.replace(job, status=JobStatus.COMPLETED, chunks=())
