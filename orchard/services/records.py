"""Bare records of jobs, many at a time: for those who keep a list of their own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from orchard import codec, keys
from orchard.domain.errors import DamagedRecord
from orchard.domain.jobs import Job
from orchard.repository import decode_chunks, job_cell
from orchard.services.queries import JobView, parse_cursor
from statecore.store import ops
from statecore.store.cursors import make_cursor
from statecore.store.steps import Decision, Seen, Steps, read, scan_index, transact

FOLLOWER_TTL_MS = 5_000


class RecordPage(msgspec.Struct, frozen=True):
    """Some jobs of all, the oldest first, and where to go on; empty after the last."""

    jobs: list[Job]
    next: str


def read_jobs(ids: Sequence[str]) -> Steps[dict[str, Job]]:
    """The jobs of these ids that there are, and whose records can be read."""
    raws = yield from read(*map(job_cell, ids))
    found = {job_id: _decode(raw) for job_id, raw in zip(ids, raws, strict=True)}
    return {job_id: job for job_id, job in found.items() if job}


def known_jobs(ids: Sequence[str]) -> Steps[set[str]]:
    """Those of these ids that are in the index of all jobs."""
    scores = yield from read(*(ops.Score(keys.JOBS, job_id) for job_id in ids))
    return {job_id for job_id, score in zip(ids, scores, strict=True) if score is not None}


def read_views(ids: Sequence[str]) -> Steps[list[JobView]]:
    """The same in the order of the ids, each with its chunks."""
    found = yield from read_jobs(ids)
    jobs = [found[job_id] for job_id in ids if job_id in found]
    apart = [job.job_id for job in jobs if job.chunks is None and job.total_chunks]
    hashes = yield from read(*(ops.WholeHash(keys.chunks(job_id)) for job_id in apart))
    chunks = {job_id: decode_chunks(one) for job_id, one in zip(apart, hashes, strict=True)}
    return [JobView(job=job, chunks=job.chunks or chunks.get(job.job_id, ())) for job in jobs]


def page_jobs(cursor: str, limit: int) -> Steps[RecordPage]:
    """A page of all jobs.

    Raises:
        InvalidInput: the cursor is none.
    """
    entries = yield from scan_index(keys.JOBS, limit, after=parse_cursor(cursor))
    found = yield from read_jobs([job_id for job_id, _ in entries])
    after = make_cursor(*entries[-1]) if len(entries) == limit else ""
    return RecordPage(jobs=list(found.values()), next=after)


def lead_catalogue(database: str, holder: str) -> Steps[bool]:
    """Become, or stay, the one process that fills the catalogue of a database, for 5 s."""
    return _lead(keys.catalogue_follower(database), holder)


def lead_webhooks(database: str, holder: str) -> Steps[bool]:
    """Become, or stay, the one process that sends the webhooks of a database, for 5 s."""
    return _lead(keys.webhook_sender(database), holder)


def _lead(key: str, holder: str) -> Steps[bool]:
    cell = ops.Key(key)

    def decide(seen: Seen, at: datetime) -> Decision[bool]:
        if seen[cell] not in (None, holder.encode()):
            return Decision(False)
        return Decision(True, (ops.Set(cell.key, holder.encode(), FOLLOWER_TTL_MS),))

    return (yield from transact([cell], decide))


def _decode(raw: bytes | None) -> Job | None:
    try:
        return codec.decode_job(raw) if raw is not None else None
    except DamagedRecord:
        return None
