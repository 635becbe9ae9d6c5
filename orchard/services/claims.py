"""Claims: chunks go out to workers, each under a lease."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

import msgspec

from orchard import codec, keys
from orchard.domain import assignments, chunks, duplicates, workers
from orchard.domain.chunks import Chunk, ChunkChange, chunk_id, parse_chunk_id
from orchard.domain.errors import DamagedRecord
from orchard.domain.jobs import Job
from orchard.domain.lifecycle import ChunkStatus
from orchard.domain.orders import type_of_lane
from orchard.domain.workers import Worker
from orchard.repository import Draft, chunk_cell, find_chunk, find_worker, job_cell, worker_cell
from orchard.services import lanes, outlooks
from orchard.services.limits import chunk_policy, keeping
from orchard.services.lookups import draft_chunk, draft_worker, get_worker, is_open, touch
from orchard.services.reports import expire
from statecore.store import ops
from statecore.store.steps import (
    Decision,
    Seen,
    Steps,
    group_by_partition,
    locate,
    read,
    take,
    transact,
)

MAX_BATCH = 100
"""Most chunks that one call claims."""
PLAIN = ""
"""The lane of recordings that demand nothing."""
LOOKS = 3
"""So often a worker chooses anew when others were faster, before it takes what comes."""

_Jobs = Mapping[str, Job | DamagedRecord]
"""Jobs by their ids, and what is the matter with those that cannot be read."""

plain_times = outlooks.PlainTimes()
"""Whether there was nothing to choose when this process last looked."""


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk that a worker now holds, until the deadline unless it extends it."""

    job: Job
    chunk: Chunk
    """As this worker sees it: with its own token and start."""
    deadline: datetime
    is_duplicate: bool = False
    """Whether another worker has it, too; the first valid result counts."""


class _How(Enum):
    """How a worker came to a chunk."""

    TAKEN = "taken"
    """It was next in the queue, or its lease had run out."""
    CHOSEN = "chosen"
    """It was chosen of those that wait; it may be gone."""
    COPIED = "copied"
    """Another has it."""


class _Wanted(NamedTuple):
    name: str
    how: _How
    lane: str = ""


def claim(worker_id: str, max_chunks: int = 1) -> Steps[list[Claimed]]:
    """Give a worker up to ``max_chunks`` chunks under a lease; none when there is none for it.

    Raises:
        UnknownWorker: it is not in the fleet (any more).
        WorkerUnavailable: it is draining or paused.
    """
    worker = yield from get_worker(worker_id)
    workers.check_available(worker)
    count = min(max_chunks, MAX_BATCH)
    served = yield from lanes.list_served(worker)
    room = yield from lanes.room_in(served)
    if served == [PLAIN] and not room:
        return (yield from _give_plain(worker, count))
    return (yield from _give_of(served, room, worker, count))


def _give_plain(worker: Worker, count: int) -> Steps[list[Claimed]]:
    give = _take if plain_times.are_now() else _choose
    return (yield from give(worker, count))


def _give_of(
    served: Sequence[str], room: Mapping[str, int], worker: Worker, count: int
) -> Steps[list[Claimed]]:
    """Give a worker what comes first in the lanes that it serves, as far as there is room.

    The plain lane is looked at in any case: there may be a straggler to copy.
    """
    left = dict(room)
    ready = yield from lanes.find_ready(served)
    claimed: list[Claimed] = []
    for lane in [*ready, *({PLAIN} & set(served) - set(ready))]:
        job_type = type_of_lane(lane)
        wanted = min(count - len(claimed), left.get(job_type, count))
        if wanted > 0:
            give = _take_from(lane, worker, wanted) if lane else _give_plain(worker, wanted)
            got = yield from give
            claimed += got
            left[job_type] = left.get(job_type, count) - len(got)
    return claimed


def _choose(worker: Worker, count: int) -> Steps[list[Claimed]]:
    """Give a worker what suits it (see :mod:`orchard.domain.assignments`)."""
    shortest_s = keeping().chunk_lease_ms / 1000
    for _ in range(LOOKS):
        sight = yield from outlooks.look(worker)
        plain_times.note(sight.outlook.is_plain)
        if sight.is_any_due:
            break
        chosen = assignments.choose(
            worker.worker_id, sight.outlook, shortest_s=shortest_s, count=count
        )
        if not chosen:
            return []
        if sight.outlook.is_plain and not chosen[0].is_duplicate:
            break
        wanted = [
            _Wanted(one.name, _How.COPIED if one.is_duplicate else _How.CHOSEN) for one in chosen
        ]
        if claimed := (yield from _start_all(wanted, worker)):
            return claimed
    return (yield from _take(worker, count))


def _take(worker: Worker, count: int) -> Steps[list[Claimed]]:
    """Give a worker what has lost its own, then what is next in the queue."""
    return _take_from(PLAIN, worker, count)


def _take_from(lane: str, worker: Worker, count: int) -> Steps[list[Claimed]]:
    lease_ms = keeping().chunk_lease_ms
    queue, leases = keys.chunk_queue(lane), keys.chunk_leases(lane)
    names = yield from take(queue, leases, count, lease_ms)
    return (yield from _start_all([_Wanted(name, _How.TAKEN, lane) for name in names], worker))


def _start_all(wanted: Sequence[_Wanted], worker: Worker) -> Steps[list[Claimed]]:
    """Start chunks, those of one partition in one step; those that had their last chance end.

    The worker's record notes them in the same step when it is in that partition, too.
    """
    claimed: list[Claimed] = []
    groups = yield from group_by_partition(wanted, _job_key)
    (home,) = yield from locate(worker_cell(worker.url).key)
    for place, together in groups.items():
        started, buried = yield from _start(together, worker, is_home=place == home)
        claimed += started
        if started and place != home:
            yield from touch(worker.url, gained=_names(started))
        for name in buried:
            yield from expire(name)
    return claimed


def _names(claimed: Sequence[Claimed]) -> list[str]:
    return [chunk_id(one.job.job_id, one.chunk.index) for one in claimed]


def _job_key(wanted: _Wanted) -> str:
    place = parse_chunk_id(wanted.name)
    return keys.job(place[0]) if place else ""


def _start(
    wanted: Sequence[_Wanted], worker: Worker, *, is_home: bool
) -> Steps[tuple[list[Claimed], list[str]]]:
    """Start the chunks that stand behind the names, as far as there are any."""
    places = {one.name: place for one in wanted if (place := parse_chunk_id(one.name))}
    jobs, known = yield from _read(places, [worker_cell(worker.url)] if is_home else [])

    def decide(seen: Seen, at: datetime) -> Decision[tuple[list[Claimed], list[str]]]:
        draft = Draft(keeping(), at)
        claimed: list[Claimed] = []
        buried: list[str] = []
        for name, how, lane in wanted:
            try:
                job, chunk = _find(name, places, jobs, seen)
            except DamagedRecord:
                continue  # it comes back when its lease runs out, and the doctor names it
            if job is None or chunk is None or not is_open(job, chunk):
                draft.drop_chunk_name(name, lane)  # its job was deleted, or ended meanwhile
                continue
            change = _begin(job.job_id, chunk, how, worker, at)
            if change is None:
                continue
            if change.chunk.status is ChunkStatus.FAILED or _is_worn_out(change.chunk):
                buried.append(name)
                continue
            draft_chunk(draft, job.job_id, chunk, change)
            claimed.append(_claimed(job, change.chunk, worker, at))
        if claimed and (record := find_worker(seen, worker.url)):
            draft_worker(draft, workers.hear_from(record, at=at, gained=_names(claimed)))
        return Decision((claimed, buried), draft.writes())

    hot = [worker.url] if is_home else []
    return (yield from transact(list(known), decide, hot=hot, known=known))


def _find(
    name: str, places: Mapping[str, tuple[str, int]], jobs: _Jobs, seen: Seen
) -> tuple[Job | None, Chunk | None]:
    """The job and the chunk that a name stands for, as far as there are any.

    Raises:
        DamagedRecord: another program has written something else there.
    """
    if name not in places:
        return None, None
    job = jobs.get(places[name][0])
    if isinstance(job, DamagedRecord):
        raise job
    return job, find_chunk(seen, *places[name]) if job else None


def _begin(
    job_id: str, chunk: Chunk, how: _How, worker: Worker, at: datetime
) -> ChunkChange | None:
    """Give the chunk to the worker, or ``None`` when others were faster."""
    given = (job_id, chunk, worker.worker_id, worker.url)
    if how is _How.COPIED:
        if chunk.status is not ChunkStatus.RUNNING or chunk.token_of(worker.worker_id) is not None:
            return None
        return duplicates.start_second(*given, at=at)
    if how is _How.CHOSEN:
        if chunk.status is not ChunkStatus.WAITING or chunk.not_before:
            return None
    elif chunk.status is ChunkStatus.RUNNING and _has_just_begun(chunk, at):
        return None  # somebody chose it after it was taken from the queue for us
    return chunks.start_chunk(*given, chunk_policy(), at=at)


def _has_just_begun(chunk: Chunk, at: datetime) -> bool:
    """Whether its lease cannot have run out: not so much time has passed since it began."""
    began = chunk.second.started_at if chunk.second else chunk.started_at
    lease = timedelta(milliseconds=keeping().chunk_lease_ms)
    return began is not None and at - began < lease


def _is_worn_out(chunk: Chunk) -> bool:
    """Whether it took too long too often; then a copy more helps nobody."""
    return chunk.second is not None and chunk.attempts > chunk_policy().max_attempts


def _claimed(job: Job, chunk: Chunk, worker: Worker, at: datetime) -> Claimed:
    deadline = at + timedelta(milliseconds=keeping().chunk_lease_ms)
    seen = duplicates.as_held_by(chunk, worker.worker_id)
    return Claimed(job=job, chunk=seen, deadline=deadline, is_duplicate=chunk.second is not None)


def _read(
    places: Mapping[str, tuple[str, int]], beside: Sequence[ops.Cell]
) -> Steps[tuple[_Jobs, Seen]]:
    """The jobs there are, and what the cells of the chunks (and others) hold, at one moment."""
    job_ids = list(dict.fromkeys(job_id for job_id, _ in places.values()))
    cells: list[ops.Cell] = [*(chunk_cell(*place) for place in places.values()), *beside]
    raws = yield from read(*map(job_cell, job_ids), *cells)
    heads, rest = raws[: len(job_ids)], raws[len(job_ids) :]
    jobs = {
        job_id: _decoded(raw) for job_id, raw in zip(job_ids, heads, strict=True) if raw is not None
    }
    return jobs, dict(zip(cells, rest, strict=True))


def _decoded(raw: bytes) -> Job | DamagedRecord:
    try:
        return codec.decode_job(raw)
    except DamagedRecord as damaged:
        return damaged
