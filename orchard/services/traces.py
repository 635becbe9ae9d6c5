"""What is traced of jobs: their stages, their chunks, and they themselves; nothing without traces.

Of a job its ids and figures are told, and never a name, a text or who sent it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchard.domain.chunks import Chunk, chunk_id
from orchard.domain.duplicates import as_held_by
from orchard.domain.jobs import Job
from orchard.domain.lifecycle import JobStatus
from orchard.services.records import read_jobs
from orchard.services.said import Accepted, Outcome, Report, Said, Sign
from orchard.tracing import get_spans, parents
from statecore.store.steps import Steps

if TYPE_CHECKING:
    from orchard.tracing.spans import Attributes

STAGE_NAMES = {
    JobStatus.PURIFYING: "purify",
    JobStatus.SPLITTING: "split",
    JobStatus.AGGREGATING: "join",
}


def begin_job(job_id: str) -> str:
    """The span that a new job's trace begins in: the upload's, else one of its own; or nothing."""
    spans = get_spans()
    if spans is None:
        return ""
    from orchard.tracing.spans import current, mark_current

    facts = {"orchard.job.id": job_id}
    if here := current():
        mark_current(facts)
        return here
    with spans.open("create job", facts, kind="producer"):
        return current()


@contextmanager
def stage(job: Job) -> Iterator[None]:
    """A span around the stage that a job is in."""
    spans = get_spans()
    if spans is None or not job.trace:
        yield
        return
    facts = _facts(job) | {"orchard.stage.attempt": job.stage.attempts}
    with spans.open(STAGE_NAMES[job.status], facts, parent=_of_job(job)):
        yield


def end_job(job: Job) -> None:
    """A span of the whole job, from its upload until it has ended; all others are inside it."""
    if (spans := get_spans()) is None or not job.trace:
        return
    facts = _facts(job) | {
        "orchard.job.status": str(job.status), "orchard.job.chunks": job.total_chunks,
        "orchard.job.failed_chunks": job.failed_chunks, "orchard.job.retries": job.retries,
        "orchard.audio.duration_ms": job.duration_ms,
    }  # fmt: skip
    error = "" if job.status is JobStatus.COMPLETED else str(job.status)
    spans.note(
        "job", facts, itself=_of_job(job), parent=job.trace, begun=job.created_at,
        ended=job.updated_at, error=error,
    )  # fmt: skip


def of_claim(job: Job, chunk: Chunk) -> str:
    """The ``traceparent`` of one attempt at a chunk, by whoever holds it; empty without a trace."""
    return parents.named(job.trace, chunk_id(job.job_id, chunk.index), chunk.token)


def find_parent(job_id: str) -> Steps[str]:
    """The span of a job, for what is done about it elsewhere; empty without a trace."""
    found = yield from read_jobs([job_id])
    return _of_job(found[job_id]) if job_id in found else ""


def end_attempts(said: Sequence[Said], outcomes: Sequence[Outcome]) -> None:
    """Spans of the attempts at chunks that these reports have ended, from claim to report."""
    if get_spans() is None:
        return
    for each, outcome in zip(said, outcomes, strict=True):
        if isinstance(outcome, Accepted) and not isinstance(each, Sign) and not outcome.repeated:
            _end_attempt(each, outcome)


def _end_attempt(said: Said, accepted: Accepted) -> None:
    spans, job, before = get_spans(), accepted.job, accepted.before
    if spans is None or job is None or before is None or not job.trace:
        return
    held = as_held_by(before, said.worker_id)
    facts: Attributes = _facts(job) | {
        "orchard.chunk.id": said.chunk_id, "orchard.chunk.attempt": held.attempts,
        "orchard.worker.id": said.worker_id, "orchard.audio.duration_ms": held.duration_ms,
    }  # fmt: skip
    is_done = isinstance(said, Report)
    spans.note(
        "chunk", facts, itself=of_claim(job, held), parent=_of_job(job), begun=held.started_at,
        ended=accepted.chunk.completed_at if is_done else None,
        error="" if is_done else _kind_of(said),
    )  # fmt: skip


def _kind_of(said: Said) -> str:
    return "handed_back" if getattr(said, "handback", False) else "failed"


def _of_job(job: Job) -> str:
    """The span of a job in this round of it."""
    return parents.named(job.trace, job.job_id, job.retries)


def _facts(job: Job) -> dict[str, str | int | float | bool]:
    return {"orchard.job.id": job.job_id, "orchard.job.type": job.job_type}
