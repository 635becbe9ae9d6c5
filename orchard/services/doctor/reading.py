"""Reading jobs with all that belongs to them, each at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchard import codec, keys
from orchard.domain.chunks import Chunk, chunk_id
from orchard.domain.errors import DamagedRecord
from orchard.domain.jobs import Job
from orchard.domain.lifecycle import JobStatus
from orchard.repository import job_cell
from orchard.services.doctor.judging import JobSeen
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.walking import look_at

STATES = tuple(JobStatus)


def read_jobs(store: Store, job_ids: Sequence[str]) -> list[JobSeen]:
    """The jobs; those with chunks apart are read again, together with them."""
    if not job_ids:
        return []
    found = _read_heads(store, job_ids)
    return [_with_chunks(store, seen) if _has_chunks(seen) else seen for seen in found]


def _has_chunks(seen: JobSeen) -> bool:
    return bool(seen.job and not seen.job.has_ended and seen.job.total_chunks)


def _read_heads(store: Store, job_ids: Sequence[str]) -> list[JobSeen]:
    refs = [ref for job_id in job_ids for ref in _head_refs(job_id)]
    values = store.read(*refs)
    facts = look_at(store, [keys.job(job_id) for job_id in job_ids])
    step = len(refs) // len(job_ids)
    return [
        _seen(job_id, values[at * step : (at + 1) * step], facts[at].ttl_ms)
        for at, job_id in enumerate(job_ids)
    ]


def _head_refs(job_id: str) -> list[ops.Ref]:
    apart = (keys.chunks(job_id), keys.results(job_id), keys.edits(job_id))
    lists = (keys.STAGE_QUEUE, keys.STAGE_LEASES, keys.JOBS, *map(keys.jobs_in, STATES))
    return [
        job_cell(job_id),
        *map(ops.Size, apart),
        *(ops.Score(index, job_id) for index in lists),
    ]


def _seen(job_id: str, values: Sequence[Any], ttl_ms: int | None) -> JobSeen:
    raw, chunks, results, edits, queued, leased, listed, *scores = values
    states = {
        status: score for status, score in zip(STATES, scores, strict=True) if score is not None
    }
    return JobSeen(
        job_id, raw, decoded_job(raw), listed, states, (queued, leased), int(chunks), int(results),
        int(edits), ttl_ms,
    )  # fmt: skip


def _with_chunks(store: Store, seen: JobSeen) -> JobSeen:
    """The job once more, with its chunks and where they stand, all of one moment."""
    job_id, total = seen.job_id, seen.job.total_chunks if seen.job else 0
    head = _head_refs(job_id)
    names = [chunk_id(job_id, i) for i in range(total)]
    lane = seen.job.lane if seen.job else ""
    queues = (keys.chunk_queue(lane), keys.chunk_leases(lane))
    places = [ops.Score(key, name) for name in names for key in queues]
    values = store.read(*head, ops.WholeHash(keys.chunks(job_id)), *places)
    fields, scores = values[len(head)], values[len(head) + 1 :]
    again = _seen(job_id, values[: len(head)], seen.ttl_ms)
    pairs = zip(scores[::2], scores[1::2], strict=True)
    return again._replace(chunks=_chunks(fields), raw_chunks=fields, places=dict(enumerate(pairs)))


def decoded_job(raw: bytes | None) -> Job | None:
    """The job in a record; ``None`` without one, or when it cannot be read."""
    try:
        return None if raw is None else codec.decode_job(raw)
    except DamagedRecord:
        return None


def _chunks(fields: dict[str, bytes]) -> list[Chunk] | None:
    """The chunks in order; ``None`` when one of them cannot be read."""
    try:
        found = [codec.decode_chunk(raw) for raw in fields.values()]
    except DamagedRecord:
        return None
    return sorted(found, key=lambda chunk: chunk.index)
