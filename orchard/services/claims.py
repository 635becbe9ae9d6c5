"""Claims: chunks go out to workers, each under a lease."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from orchard import codec, keys
from orchard.domain import chunks, workers
from orchard.domain.chunks import Chunk, chunk_id, parse_chunk_id
from orchard.domain.jobs import Job
from orchard.domain.lifecycle import ChunkStatus
from orchard.domain.workers import Worker
from orchard.repository import Draft, chunk_cell, find_chunk, job_cell
from orchard.services.limits import chunk_policy, keeping
from orchard.services.lookups import draft_chunk, get_worker, is_open, touch, url_of
from orchard.services.reports import expire
from statecore.store import ops
from statecore.store.steps import (
    Decision,
    Seen,
    Steps,
    group_by_partition,
    read,
    take,
    transact,
)

MAX_BATCH = 100
"""Most chunks that one call claims."""


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk that a worker now holds, until the deadline unless it extends it."""

    job: Job
    chunk: Chunk
    deadline: datetime


def claim(worker_id: str, max_chunks: int = 1) -> Steps[list[Claimed]]:
    """Give a worker up to ``max_chunks`` chunks under a lease; none when the queue is empty.

    Raises:
        UnknownWorker: it is not in the fleet (any more).
        WorkerUnavailable: it is draining or paused.
    """
    url = url_of(worker_id)
    worker = yield from get_worker(worker_id)
    workers.check_available(worker)
    lease_ms = keeping().chunk_lease_ms
    count = min(max_chunks, MAX_BATCH)
    names = yield from take(keys.CHUNK_QUEUE, keys.CHUNK_LEASES, count, lease_ms)
    if not names:
        return []
    claimed = yield from _start_all(names, worker)
    if claimed:
        gained = [chunk_id(c.job.job_id, c.chunk.index) for c in claimed]
        yield from touch(url, gained=gained)
    return claimed


def _start_all(names: Sequence[str], worker: Worker) -> Steps[list[Claimed]]:
    """Start chunks, those of one partition in one step; those that had their last chance end."""
    claimed: list[Claimed] = []
    for together in (yield from group_by_partition(names, _job_key)).values():
        started, buried = yield from _start(together, worker)
        claimed += started
        for name in buried:
            yield from expire(name)
    return claimed


def _job_key(chunk_name: str) -> str:
    place = parse_chunk_id(chunk_name)
    return keys.job(place[0]) if place else ""


def _start(names: Sequence[str], worker: Worker) -> Steps[tuple[list[Claimed], list[str]]]:
    """Start the chunks that stand behind the names, as far as there are any."""
    places = {name: place for name in names if (place := parse_chunk_id(name))}
    jobs, known = yield from _read(places)
    found = {name: jobs[job_id] for name, (job_id, _) in places.items() if job_id in jobs}

    def decide(seen: Seen, at: datetime) -> Decision[tuple[list[Claimed], list[str]]]:
        draft = Draft(keeping(), at)
        deadline = at + timedelta(milliseconds=keeping().chunk_lease_ms)
        claimed: list[Claimed] = []
        buried: list[str] = []
        for name in names:
            chunk = find_chunk(seen, *places[name]) if name in found else None
            if chunk is None or not is_open(found[name], chunk):
                draft.drop_chunk_name(name)  # its job was deleted, or ended meanwhile
                continue
            job_id = found[name].job_id
            change = chunks.start_chunk(
                job_id, chunk, worker.worker_id, worker.url, chunk_policy(), at=at
            )
            if change.chunk.status is ChunkStatus.FAILED:
                buried.append(name)
                continue
            draft_chunk(draft, job_id, chunk, change)
            claimed.append(Claimed(job=found[name], chunk=change.chunk, deadline=deadline))
        return Decision((claimed, buried), draft.writes())

    return (yield from transact(list(known), decide, known=known))


def _read(places: Mapping[str, tuple[str, int]]) -> Steps[tuple[dict[str, Job], Seen]]:
    """The jobs there are, and what the cells of the chunks hold, at one moment."""
    job_ids = list(dict.fromkeys(job_id for job_id, _ in places.values()))
    cells: list[ops.Cell] = [chunk_cell(*place) for place in places.values()]
    raws = yield from read(*map(job_cell, job_ids), *cells)
    heads, rest = raws[: len(job_ids)], raws[len(job_ids) :]
    jobs = {
        job_id: codec.decode_job(raw)
        for job_id, raw in zip(job_ids, heads, strict=True)
        if raw is not None
    }
    return jobs, dict(zip(cells, rest, strict=True))
