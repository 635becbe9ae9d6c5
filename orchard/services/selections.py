"""Things selected for an action by hand: light pages of records, whatever their number."""

from __future__ import annotations

from collections.abc import Sequence

from orchard import codec, keys
from orchard.codec import readable
from orchard.domain.chunks import Chunk
from orchard.domain.jobs import Job
from orchard.domain.lifecycle import JobStatus
from orchard.repository import decode_chunks, job_cell
from statecore.store import ops
from statecore.store.steps import Steps, read, scan_index

PAGE = 500

Place = tuple[float, str]
"""Where a page ends: score and member of its last entry."""


def page_of_jobs(
    status: JobStatus | None, after: Place | None
) -> Steps[tuple[list[Job], Place | None]]:
    """Up to ``PAGE`` jobs, newest first, and where to go on; ``None`` after the last page."""
    index = keys.jobs_in(status) if status else keys.JOBS
    entries = yield from scan_index(index, PAGE, newest_first=True, after=after)
    raws = yield from read(*(job_cell(job_id) for job_id, _ in entries))
    found = readable(codec.decode_job, raws)
    last = (entries[-1][1], entries[-1][0]) if len(entries) == PAGE else None
    return found, last


def chunks_of(job_ids: Sequence[str]) -> Steps[dict[str, tuple[Chunk, ...]]]:
    """The chunks of jobs that are being worked on, by job."""
    hashes = yield from read(*(ops.WholeHash(keys.chunks(job_id)) for job_id in job_ids))
    return {
        job_id: decode_chunks(fields)
        for job_id, fields in zip(job_ids, hashes, strict=True)
        if fields
    }


def recall_jobs(job_ids: Sequence[str]) -> Steps[None]:
    """Read jobs in one go, so that each action on one of them begins with what it is now."""
    cells: list[ops.Cell] = [job_cell(job_id) for job_id in job_ids]
    raws = yield from read(*cells)
    yield ops.Remember(dict(zip(cells, raws, strict=True)))
