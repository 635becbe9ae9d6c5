"""Lacks: why work waits that nobody in the fleet can begin, and what helps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec

from orchard.domain.chunks import Chunk
from orchard.domain.jobs import Job
from orchard.domain.lifecycle import ChunkStatus, JobStatus, WorkerStatus
from orchard.domain.workers import Worker


class Reason(StrEnum):
    """What is lacking for a job's chunks to be begun."""

    NO_WORKER = "no_worker"
    """No worker is online."""
    NO_TYPE = "no_worker_for_type"
    """None that is online does this type of work."""
    NO_LABELS = "no_worker_with_labels"
    """Some do the type, and none of these has the labels that are demanded."""
    ALL_HELD = "workers_held"
    """All that could do it are paused or draining."""


SAYINGS: Mapping[Reason, tuple[str, str]] = {
    Reason.NO_WORKER: ("No worker is online.", "Start an agent."),
    Reason.NO_TYPE: (
        "No worker that is online does this type of work: %(type)s.",
        "Start an agent that does it.",
    ),
    Reason.NO_LABELS: (
        "No worker that is online has the labels %(labels)s.",
        "Start an agent with these labels, or hand the work in again without them.",
    ),
    Reason.ALL_HELD: (
        "All workers that do this are paused or draining.",
        "Resume one of them, or start another agent.",
    ),
}
"""What is lacking, and what helps, in English; pages have their own translations."""


class Lack(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job waits that nobody can begin."""

    reason: Reason
    job_type: str
    labels: tuple[str, ...] = ()
    """All that the job demands, when no worker has all of them."""

    @property
    def facts(self) -> dict[str, str]:
        """What the sayings name."""
        return {"type": self.job_type, "labels": ", ".join(self.labels)}


def tell(lack: Lack) -> tuple[str, str]:
    """What is lacking, and what helps, in English."""
    what, helps = SAYINGS[lack.reason]
    return what % lack.facts, helps


def waits(job: Job, chunks: Sequence[Chunk]) -> bool:
    """Whether a job has chunks for workers, and none is with one."""
    found = {chunk.status for chunk in chunks}
    at_work = ChunkStatus.RUNNING in found
    return job.status is JobStatus.PROCESSING and ChunkStatus.WAITING in found and not at_work


def is_here(worker: Worker) -> bool:
    """Whether a worker was heard of lately."""
    return worker.status is not WorkerStatus.OFFLINE


def takes_more(worker: Worker) -> bool:
    """Whether a worker is here, and was not told to take no more work."""
    return is_here(worker) and not (worker.draining or worker.paused)


def find_lack(job: Job, here: Iterable[Worker], able: Iterable[Worker]) -> Lack | None:
    """What is lacking, with these workers online, of which some are able to do the job's work."""
    fleet, hands = list(here), list(able)
    if any(map(takes_more, hands)):
        return None
    if hands:
        return Lack(reason=Reason.ALL_HELD, job_type=job.job_type)
    if any(job.job_type in worker.types for worker in fleet):
        return Lack(reason=Reason.NO_LABELS, job_type=job.job_type, labels=job.requires)
    reason = Reason.NO_TYPE if fleet else Reason.NO_WORKER
    return Lack(reason=reason, job_type=job.job_type)
