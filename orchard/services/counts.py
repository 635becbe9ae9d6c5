"""Counts of workers, jobs and queues. What they cost does not depend on how many there are."""

from __future__ import annotations

import msgspec

from orchard import keys
from orchard.conf import get_conf
from orchard.domain.lifecycle import ACTIVE, ENDED, JobStatus
from orchard.repository import epoch_ms
from orchard.services import lanes
from orchard.services.limits import keeping
from statecore.store import ops
from statecore.store.steps import Steps, now, read


class WorkerCounts(msgspec.Struct, frozen=True):
    """Workers by what they do; the parts add up to the total."""

    total: int
    online: int
    busy: int
    offline: int


class JobCounts(msgspec.Struct, frozen=True):
    """Jobs; *active* is every one that is not yet over."""

    total: int
    active: int
    completed: int


class Stats(msgspec.Struct, frozen=True):
    """The counts of ``/stats`` (CONTRACTS section 5)."""

    workers: WorkerCounts
    jobs: JobCounts


class Load(msgspec.Struct, frozen=True):
    """How much work stands in the queues."""

    waiting_chunks: int
    leased_chunks: int
    waiting_stages: int
    by_status: dict[str, int]


def get_stats() -> Steps[Stats]:
    """The counts of workers and jobs; what they cost does not depend on how many there are."""
    heard_ms, gone_ms = yield from worker_bounds()
    counts = yield from read(
        ops.Count(keys.WORKERS, gone_ms), ops.Count(keys.WORKERS, heard_ms),
        ops.Count(keys.BUSY_WORKERS, heard_ms),
    )  # fmt: skip
    total, heard, busy = counts
    by_status = yield from count_jobs()
    return Stats(
        workers=WorkerCounts(total=total, online=heard - busy, busy=busy, offline=total - heard),
        jobs=JobCounts(
            total=sum(by_status.values()),
            active=sum(by_status[status] for status in ACTIVE),
            completed=by_status[JobStatus.COMPLETED],
        ),
    )


def count_jobs() -> Steps[dict[JobStatus, int]]:
    """How many jobs are in each state; those that have expired do not count."""
    at_ms = epoch_ms((yield from now()))
    refs = [
        ops.Count(keys.jobs_in(status), at_ms if status in ENDED else float("-inf"))
        for status in JobStatus
    ]
    return dict(zip(JobStatus, (yield from read(*refs)), strict=True))


def get_load() -> Steps[Load]:
    """How much work is waiting, and how much is being done."""
    found = yield from lanes.list_all()
    queues = [*map(keys.chunk_queue, found), *map(keys.chunk_leases, found), keys.STAGE_QUEUE]
    *chunks, stages = yield from read(*map(ops.Count, queues))
    waiting, leased = sum(chunks[: len(found)]), sum(chunks[len(found) :])
    by_status = yield from count_jobs()
    shown = {str(status): count for status, count in by_status.items()}
    return Load(
        waiting_chunks=waiting,
        leased_chunks=leased,
        waiting_stages=stages,
        by_status=shown,
    )


# -- jobs --------------------------------------------------------------------


def worker_bounds() -> Steps[tuple[float, float]]:
    """Epoch milliseconds since which a worker must have been heard: to be online, to exist."""
    at_ms = epoch_ms((yield from now()))
    return at_ms - get_conf().worker_online_s * 1000, at_ms - keeping().worker_ttl_ms
