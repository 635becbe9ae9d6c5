"""Starts: chunks that were taken, chosen or are to be copied begin with a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

import msgspec

from orchard import codec, keys
from orchard.domain import chunks, doubts, duplicates, workers
from orchard.domain.chunks import Chunk, ChunkChange, chunk_id, parse_chunk_id
from orchard.domain.errors import DamagedRecord
from orchard.domain.jobs import Job
from orchard.domain.lifecycle import ChunkStatus
from orchard.domain.workers import Worker
from orchard.repository import Draft, chunk_cell, find_chunk, find_worker, job_cell, worker_cell
from orchard.services import second_hands
from orchard.services.limits import chunk_policy, keeping
from orchard.services.lookups import draft_chunk, draft_worker, is_open, touch
from orchard.services.reports import expire
from statecore.store import ops
from statecore.store.steps import (
    Decision,
    Seen,
    Steps,
    group_by_partition,
    locate,
    read,
    transact,
)

_Jobs = Mapping[str, Job | DamagedRecord]
"""Jobs by their ids, and what is the matter with those that cannot be read."""


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk that a worker now holds, until the deadline unless it extends it."""

    job: Job
    chunk: Chunk
    """As this worker sees it: with its own token and start."""
    deadline: datetime
    is_duplicate: bool = False
    """Whether another worker has it, too; the first valid result counts."""


_Started = tuple[list[Claimed], list[str], list["Wanted"]]
"""What began, what had its last chance, and what was this worker's own and is doubted."""


More = Callable[[int], Steps[list["Wanted"]]]
"""Takes as many more from the queue."""


class How(Enum):
    """How a worker came to a chunk."""

    TAKEN = "taken"
    """It was next in the queue, or its lease had run out."""
    CHOSEN = "chosen"
    """It was chosen of those that wait; it may be gone."""
    COPIED = "copied"
    """Another has it."""


class Wanted(NamedTuple):
    """A chunk that is to begin with a worker."""

    name: str
    how: How
    lane: str = ""
    values: tuple[bytes | None, ...] = ()
    """What its job and its own record hold, if that was read with its name."""


class Own(Enum):
    """What becomes of a chunk whose result by this very worker was doubted."""

    ASK = "ask"
    """It is left as it is, until it is known whether others are there."""
    LEAVE = "leave"
    """It goes back to the queue, for another to take it."""
    TAKE = "take"
    """It begins with the same worker, since there is no other."""


def start_all(
    wanted: Sequence[Wanted], worker: Worker, more: More | None = None
) -> Steps[list[Claimed]]:
    """Start chunks, those of one partition in one step; those that had their last chance end.

    The worker's record notes them in the same step when it is in that partition, too.
    What it should leave to others goes back, once as much was taken with ``more`` instead.
    """
    claimed: list[Claimed] = []
    groups = yield from group_by_partition(wanted, _job_key)
    (home,) = yield from locate(worker_cell(worker.url).key)
    for place, together in groups.items():
        is_home = place == home
        started, buried, own = yield from _start(together, worker, is_home=is_home)
        if own:
            has_others = yield from second_hands.has_others(worker, [one.lane for one in own])
            # Taken before the others are back, or it would be the same again.
            instead = (yield from more(len(own))) if has_others and more else []
            choice = Own.LEAVE if has_others else Own.TAKE
            begun, worn, _ = yield from _start(own, worker, is_home=is_home, own=choice)
            started, buried = started + begun, buried + worn
            claimed += (yield from start_all(instead, worker)) if instead else []
        claimed += started
        if started and place != home:
            yield from touch(worker.url, gained=_names(started))
        for name in buried:
            yield from expire(name)
    return claimed


def _names(claimed: Sequence[Claimed]) -> list[str]:
    return [chunk_id(one.job.job_id, one.chunk.index) for one in claimed]


def _job_key(wanted: Wanted) -> str:
    place = parse_chunk_id(wanted.name)
    return keys.job(place[0]) if place else ""


def _start(
    wanted: Sequence[Wanted], worker: Worker, *, is_home: bool, own: Own = Own.ASK
) -> Steps[_Started]:
    """Start the chunks that stand behind the names, as far as there are any."""
    places = {one.name: place for one in wanted if (place := parse_chunk_id(one.name))}
    beside = [worker_cell(worker.url)] if is_home else []
    jobs, cells, known = yield from _look(wanted, places, beside)

    def decide(seen: Seen, at: datetime) -> Decision[_Started]:
        draft = Draft(keeping(), at)
        claimed: list[Claimed] = []
        buried: list[str] = []
        doubted: list[Wanted] = []
        for one in wanted:
            name, how, lane, _ = one
            try:
                job, chunk = _find(name, places, jobs, seen)
            except DamagedRecord:
                continue  # it comes back when its lease runs out, and the doctor names it
            if job is None or chunk is None or not is_open(job, chunk):
                draft.drop_chunk_name(name, lane)  # its job was deleted, or ended meanwhile
                continue
            if own is not Own.TAKE and doubts.is_for_others(chunk, worker.worker_id, at=at):
                if own is Own.LEAVE:
                    draft.chunk(job.job_id, chunk, chunk)
                doubted.append(one)
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
        return Decision((claimed, buried, doubted), draft.writes())

    hot = [worker.url] if is_home else []
    return (yield from transact(cells, decide, hot=hot, known=known))


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


def _begin(job_id: str, chunk: Chunk, how: How, worker: Worker, at: datetime) -> ChunkChange | None:
    """Give the chunk to the worker, or ``None`` when others were faster."""
    given = (job_id, chunk, worker.worker_id, worker.url)
    if how is How.COPIED:
        if chunk.status is not ChunkStatus.RUNNING or chunk.token_of(worker.worker_id) is not None:
            return None
        return duplicates.start_second(*given, at=at)
    if how is How.CHOSEN:
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


def _look(
    wanted: Sequence[Wanted], places: Mapping[str, tuple[str, int]], beside: Sequence[ops.Cell]
) -> Steps[tuple[_Jobs, list[ops.Cell], Seen | None]]:
    """The jobs there are, the cells to decide on, and what these hold if that was read now.

    What was read with the names is as good as what was last seen: a commit proves it.
    """
    if not all(one.values for one in wanted):
        jobs, known = yield from _read(places, beside)
        return jobs, [*known], known
    found = [(places[one.name], one.values) for one in wanted if one.name in places]
    seen: dict[ops.Cell, bytes | None] = {chunk_cell(*place): values[1] for place, values in found}
    yield ops.Remember(seen)
    jobs = _decoded_all({place[0]: values[0] for place, values in found})
    return jobs, [*seen, *beside], None


def _read(
    places: Mapping[str, tuple[str, int]], beside: Sequence[ops.Cell]
) -> Steps[tuple[_Jobs, Seen]]:
    """The jobs there are, and what the cells of the chunks (and others) hold, at one moment."""
    job_ids = list(dict.fromkeys(job_id for job_id, _ in places.values()))
    cells: list[ops.Cell] = [*(chunk_cell(*place) for place in places.values()), *beside]
    raws = yield from read(*map(job_cell, job_ids), *cells)
    heads, rest = raws[: len(job_ids)], raws[len(job_ids) :]
    jobs = _decoded_all(dict(zip(job_ids, heads, strict=True)))
    return jobs, dict(zip(cells, rest, strict=True))


def _decoded_all(raws: Mapping[str, bytes | None]) -> _Jobs:
    return {job_id: _decoded(raw) for job_id, raw in raws.items() if raw is not None}


def _decoded(raw: bytes) -> Job | DamagedRecord:
    try:
        return codec.decode_job(raw)
    except DamagedRecord as damaged:
        return damaged
