"""Checking: a job's type looks at a worker's result before it counts."""

from __future__ import annotations

from orchard.domain.chunks import Chunk
from orchard.domain.jobs import Job
from orchard.domain.lifecycle import ChunkStatus
from orchard.jobtypes.base import BadResult, PieceResult
from orchard.jobtypes.guarding import JobTypeFailed, guarded
from orchard.jobtypes.registry import UnknownJobType, find
from orchard.services.said import Report, Setback


def fault_of(job: Job, chunk: Chunk, report: Report) -> Setback | None:
    """What is wrong with a result, as its worker would have said it; ``None`` when it counts.

    A bad result is given to another worker; a fault of the type itself is no worker's, and
    buries the chunk, so that the job fails with the reason.
    """
    is_open = chunk.status in (ChunkStatus.RUNNING, ChunkStatus.WAITING)
    if not is_open or not chunk.has_token(report.token):
        return None  # nothing comes of it anyway
    result = PieceResult(
        index=chunk.index, text=report.result.text, facts=chunk.facts or {},
        metadata=report.result.metadata,
    )  # fmt: skip
    try:
        with guarded(job.job_type, "check", BadResult):
            find(job.job_type).check(result)
    except BadResult as bad:
        return _setback(report, f"the result is bad: {bad}", retry=True)
    except (JobTypeFailed, UnknownJobType) as fault:
        return _setback(report, str(fault), retry=False)
    return None


def _setback(report: Report, error: str, *, retry: bool) -> Setback:
    return Setback(
        chunk_id=report.chunk_id, worker_id=report.worker_id, token=report.token,
        error=error[:2000], retry=retry,
    )  # fmt: skip
