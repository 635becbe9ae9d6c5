"""What an overseer asks of the fleet: counts, ages and paces, at a cost that jobs do not raise."""

from __future__ import annotations

import msgspec

from orchard import keys
from orchard.domain import assignments
from orchard.domain.lifecycle import ACTIVE, JobStatus
from orchard.domain.workers import Worker
from orchard.repository import epoch_ms
from orchard.services import counts, queries, samples
from orchard.services.counts import Load, Stats
from orchard.services.samples import Sample
from statecore.store import ops
from statecore.store.steps import Steps, now, read, scan_index

MOST_WORKERS = 500
"""Of a larger fleet the workers are counted and not told one by one."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The fleet at a moment. Ages are in seconds; what does not wait has none."""

    stats: Stats
    load: Load
    oldest_job_s: dict[str, float]
    """By state: the time since the oldest job in it was created."""
    oldest_stage_s: float | None
    """The same of the jobs that wait for a pipeline process."""
    dispatchers: int
    workers: list[Worker] | None
    """``None`` of a fleet that is larger than :data:`MOST_WORKERS`."""
    last_sample: Sample | None


def get_figures() -> Steps[Figures]:
    """The figures of this moment; what they cost does not depend on how many jobs there are."""
    stats, at_ms = (yield from counts.get_stats()), epoch_ms((yield from now()))
    oldest = yield from _oldest_jobs(at_ms)
    (dispatchers,) = yield from read(ops.Count(keys.DISPATCHERS, at_ms))
    is_small = stats.workers.total <= MOST_WORKERS
    return Figures(
        stats=stats, load=(yield from counts.get_load()), oldest_job_s=oldest,
        oldest_stage_s=(yield from _oldest_s(keys.STAGE_QUEUE, at_ms)), dispatchers=dispatchers,
        workers=(yield from queries.list_workers(MOST_WORKERS)) if is_small else None,
        last_sample=(yield from samples.last_sample()),
    )  # fmt: skip


def pace_of(worker: Worker) -> float | None:
    """How many seconds a worker takes over a second of sound; ``None`` before it was measured."""
    return assignments.pace_of([speed.speed_ratio for speed in worker.performance_history])


def _oldest_jobs(at_ms: float) -> Steps[dict[str, float]]:
    found: dict[str, float] = {}
    for status in JobStatus:
        if status in ACTIVE:
            age_s = yield from _oldest_s(keys.jobs_in(status), at_ms)
            if age_s is not None:
                found[str(status)] = age_s
    return found


def _oldest_s(index: str, at_ms: float) -> Steps[float | None]:
    """The age of the first member of an index by creation."""
    first = yield from scan_index(index, 1)
    return max(0.0, (at_ms - first[0][1]) / 1000) if first else None
