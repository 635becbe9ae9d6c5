"""Quotas: how much of one owner may be in work, where the settings say so."""

from __future__ import annotations

from orchard import codec, keys
from orchard.conf import get_conf
from orchard.domain.errors import QuotaExceeded
from orchard.repository import job_cell
from statecore.store import ops
from statecore.store.steps import Steps, commit, now, read, scan_index

LOOKED_AT = 5_000
"""Most recordings of a day that are added up."""


def check(owner: str, idempotency_key: str = "") -> Steps[None]:
    """Let an owner hand in one more job; a request that is repeated always passes.

    Raises:
        QuotaExceeded: it has as much as it may; names the quota, the limit, and what is used.
    """
    conf = get_conf()
    if not owner:
        return
    try:
        if conf.quota_jobs:
            yield from _check_jobs(owner, conf.quota_jobs)
        if conf.quota_audio_hours:
            yield from _check_audio(owner, conf.quota_audio_hours)
    except QuotaExceeded:
        (known,) = yield from read(ops.Key(keys.idempotency(owner, idempotency_key)))
        if not idempotency_key or known is None:
            raise


def _check_jobs(owner: str, limit: int) -> Steps[None]:
    index = keys.jobs_of(owner)
    (count,) = yield from read(ops.Count(index))
    if count >= limit:
        count -= yield from _drop_stale(index)
    if count >= limit:
        reason = f"{owner} has {count} jobs that have not ended; allowed: {limit}"
        raise QuotaExceeded(reason, quota="jobs", limit=limit, used=count)


def _drop_stale(index: str) -> Steps[int]:
    """Take jobs out of the count whose records are gone: they expired, or were deleted by hand."""
    members = [job_id for job_id, _ in (yield from scan_index(index, LOOKED_AT))]
    raws = yield from read(*map(job_cell, members))
    active = {job.job_id for job in codec.readable(codec.decode_job, raws) if not job.has_ended}
    stale = tuple(job_id for job_id in members if job_id not in active)
    if stale:
        yield from commit({}, ops.SortedRemove(index, stale))
    return len(stale)


def _check_audio(owner: str, hours: float) -> Steps[None]:
    index, today = keys.audio_of(owner), f"@{(yield from now()):%Y%m%d}"
    entries = yield from scan_index(index, LOOKED_AT, newest_first=True)
    if old := tuple(member for member, _ in entries if not member.endswith(today)):
        yield from commit({}, ops.SortedRemove(index, old))
    used = sum(ms for member, ms in entries if member.endswith(today)) / 3_600_000
    if used >= hours:
        reason = f"{owner} had {used:.1f} hours of recordings today; allowed: {hours:g}"
        raise QuotaExceeded(reason, quota="audio_hours", limit=hours, used=round(used, 2))
