"""Times, counts and tries, from the settings, as the domain and the repository want them."""

from __future__ import annotations

from functools import cache

from orchard.conf import get_conf
from orchard.domain.chunks import RetryPolicy
from orchard.repository import Keeping


@cache
def keeping() -> Keeping:
    """How long records are kept and leases are held."""
    conf = get_conf()
    return Keeping(
        job_ttl_ms=round(conf.job_ttl_s * 1000),
        worker_ttl_ms=round(conf.worker_ttl_s * 1000),
        chunk_lease_ms=round(conf.chunk_lease_s * 1000),
        stage_lease_ms=round(conf.stage_lease_s * 1000),
        events_max=conf.events_max,
        counts_jobs=conf.quota_jobs > 0,
        counts_audio=conf.quota_audio_hours > 0,
    )


@cache
def chunk_policy() -> RetryPolicy:
    """How often a chunk is tried."""
    conf = get_conf()
    return RetryPolicy(max_attempts=conf.chunk_max_attempts, backoff_s=conf.retry_backoff_s)


@cache
def guards_quality() -> bool:
    """Whether results of recordings are looked at before they count."""
    return bool(get_conf().quality_guard)


@cache
def stage_policy() -> RetryPolicy:
    """How often a pipeline stage is tried."""
    conf = get_conf()
    return RetryPolicy(max_attempts=conf.stage_max_attempts, backoff_s=conf.retry_backoff_s)
