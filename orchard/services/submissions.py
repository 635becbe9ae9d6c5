"""Jobs from outside: handing in a recording, and ending, repeating, keeping or deleting a job."""

from __future__ import annotations

import secrets
from datetime import datetime

from orchard import codec, keys
from orchard.domain import jobs
from orchard.domain.chunks import Chunk
from orchard.domain.errors import TransitionRefused, UnknownJob
from orchard.domain.events import JobRemoved
from orchard.domain.jobs import Job, JobChange, Wishes
from orchard.domain.orders import PLAIN, Order
from orchard.ports import recordings
from orchard.repository import Draft, chunk_cell, find_chunk, find_job, job_cell
from orchard.services import traces
from orchard.services.limits import keeping
from orchard.services.spreading import Spread
from statecore.store import ops
from statecore.store.steps import Decision, Seen, Steps, locate, read, transact

CANDIDATES = 8
"""So many names are drawn at once, where it matters in which partition one lies."""

_spread = Spread()


def new_job_id() -> str:
    """A name for a new job: 16 hexadecimal characters that nobody can guess."""
    return secrets.token_hex(8)


def name_job(owner: str, idempotency_key: str = "") -> Steps[str]:
    """A name for a new job, in a partition that was given few.

    With an idempotency key, job and key can be written in one step.
    """
    home: tuple[int, ...] = ()
    if idempotency_key:
        home = yield from locate(keys.idempotency(owner, idempotency_key))
    while True:
        candidates = [new_job_id() for _ in range(CANDIDATES)]
        places = yield from locate(*map(keys.job, candidates))
        possible = [i for i, place in enumerate(places) if not home or place in home]
        if possible:
            chosen = _spread.choose([places[i] for i in possible])
            return candidates[possible[chosen]]


def create(
    filename: str, source: str, size: int, *, owner: str, use_purifier: bool, language: str = "",
    job_id: str | None = None, idempotency_key: str = "", came_by: str = "",
    wishes: Wishes | None = None, order: Order = PLAIN,
) -> Steps[Job]:  # fmt: skip
    """Accept a recording that is in storage under the name ``source``.

    With an idempotency key that the same owner used before, the answer is the
    job of that time and nothing is created. ``job_id`` comes from :func:`name_job`.
    """
    new_id = job_id or (yield from name_job(owner, idempotency_key))
    key = ops.Key(keys.idempotency(owner, idempotency_key))
    cells: list[ops.Cell] = [job_cell(new_id), *([key] if idempotency_key else [])]
    trace = traces.begin_job(new_id)

    def decide(seen: Seen, at: datetime) -> Decision[Job | str]:
        if known := seen.get(key):
            return Decision(known.decode())
        if find_job(seen, new_id):
            raise TransitionRefused("there is a job of this id already")
        change = jobs.create_job(
            new_id, filename, source, size, owner=owner, use_purifier=use_purifier,
            language=language, at=at, came_by=came_by, wishes=wishes, order=order,
            trace=trace,
        )  # fmt: skip
        draft = Draft(keeping(), at)
        draft.job(None, change.job)
        draft.events(change.events)
        if idempotency_key:
            draft.put(key.key, new_id.encode(), keys.IDEMPOTENCY_TTL_MS)
        return Decision(change.job, draft.writes())

    # A name that nobody could guess stands for nothing yet; the commit makes sure of it.
    absent: Seen | None = None if idempotency_key else {job_cell(new_id): None}
    created = yield from transact(cells, decide, known=absent)
    return created if isinstance(created, Job) else (yield from get_record(created))


def get_record(job_id: str) -> Steps[Job]:
    """The job's record as it stands now.

    Raises:
        UnknownJob: there is none of this id.
    """
    (raw,) = yield from read(job_cell(job_id))
    if raw is None:
        raise UnknownJob
    return codec.decode_job(raw)


def cancel(job_id: str) -> Steps[Job]:
    """End a job by hand.

    Raises:
        UnknownJob: there is none of this id.
        TransitionRefused: it has ended already.
    """
    total = (yield from get_record(job_id)).total_chunks
    cells: list[ops.Cell] = [job_cell(job_id), *(chunk_cell(job_id, i) for i in range(total))]

    def decide(seen: Seen, at: datetime) -> Decision[Job]:
        job = _require(seen, job_id)
        change = jobs.cancel_job(job, _chunks(seen, job_id, total), at=at)
        return _write(job, change, at)

    cancelled = yield from transact(cells, decide)
    traces.end_job(cancelled)
    return cancelled


def retry(job_id: str) -> Steps[Job]:
    """Start a failed job again; only what is missing will be done.

    Raises:
        UnknownJob: there is none of this id.
        TransitionRefused: it has not failed.
    """

    def decide(seen: Seen, at: datetime) -> Decision[Job]:
        job = _require(seen, job_id)
        change = jobs.retry_job(job, at=at)
        draft = Draft(keeping(), at)
        draft.job(job, change.job)
        draft.keep_results(job_id)
        for chunk in change.chunks:
            draft.keep_chunk(job_id, chunk)
        draft.events(change.events)
        return Decision(change.job, draft.writes())

    return (yield from transact([job_cell(job_id)], decide))


def pin(job_id: str, pinned: bool) -> Steps[Job]:
    """Keep a finished job beyond its hour, or let it expire again.

    Raises:
        UnknownJob: there is none of this id.
        TransitionRefused: it has not ended.
    """

    def decide(seen: Seen, at: datetime) -> Decision[Job]:
        job = _require(seen, job_id)
        return _write(job, jobs.pin_job(job, pinned, at=at), at)

    return (yield from transact([job_cell(job_id)], decide))


def remove(job_id: str) -> Steps[Job]:
    """Delete a job, whatever its state, with its sound and transcript.

    Raises:
        UnknownJob: there is none of this id.
    """

    def decide(seen: Seen, at: datetime) -> Decision[Job]:
        job = _require(seen, job_id)
        draft = Draft(keeping(), at)
        draft.drop_job(job_id, job.total_chunks, job.lane)
        draft.events([JobRemoved(at=at, job_id=job_id)])
        return Decision(job, draft.writes())

    job = yield from transact([job_cell(job_id)], decide)
    recordings.delete(job_id)
    return job


def _write(before: Job, change: JobChange, at: datetime) -> Decision[Job]:
    draft = Draft(keeping(), at)
    draft.job(before, change.job)
    draft.events(change.events)
    return Decision(change.job, draft.writes())


def _require(seen: Seen, job_id: str) -> Job:
    job = find_job(seen, job_id)
    if job is None:
        raise UnknownJob
    return job


def _chunks(seen: Seen, job_id: str, total: int) -> tuple[Chunk, ...]:
    found = (find_chunk(seen, job_id, i) for i in range(total))
    return tuple(chunk for chunk in found if chunk is not None)
