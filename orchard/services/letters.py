"""Dead letters: chunks that were given up while their job goes on, queued again by hand."""

from __future__ import annotations

from datetime import datetime

import msgspec

from orchard.domain.chunks import Chunk, chunk_id, revive_chunk
from orchard.domain.errors import TransitionRefused
from orchard.domain.events import ChunkRequeued
from orchard.domain.lifecycle import ChunkStatus, JobStatus
from orchard.repository import Draft, chunk_cell, job_cell
from orchard.services.limits import keeping
from orchard.services.lookups import place_of, require_open
from statecore.store import ops
from statecore.store.steps import Decision, Seen, Steps, transact


def revive(chunk_name: str, reason: str) -> Steps[Chunk]:
    """Queue a dead letter of a running job again, with all its attempts.

    Raises:
        UnknownJob, UnknownChunk: there is no such chunk.
        StaleToken, TransitionRefused: it is no dead letter, or its job does not run (any more).
    """
    job_id, index = place_of(chunk_name)

    def decide(seen: Seen, at: datetime) -> Decision[Chunk]:
        job, chunk = require_open(seen, job_id, index)
        if job.status is not JobStatus.PROCESSING or chunk.status is not ChunkStatus.FAILED:
            raise TransitionRefused("it is no dead letter any more", status=str(chunk.status))
        revived = msgspec.structs.replace(revive_chunk(chunk), completed_at=None)
        draft = Draft(keeping(), at)
        draft.chunk(job_id, chunk, revived)
        left = job.failed_chunks - 1
        draft.job(job, msgspec.structs.replace(job, failed_chunks=left, updated_at=at))
        name = chunk_id(job_id, index)
        event = ChunkRequeued(at=at, job_id=job_id, chunk_id=name, index=index, reason=reason)
        draft.events([event])
        return Decision(revived, draft.writes())

    cells: list[ops.Cell] = [job_cell(job_id), chunk_cell(job_id, index)]
    return (yield from transact(cells, decide, hot=[job_id]))
