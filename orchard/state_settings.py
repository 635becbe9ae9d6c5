"""The state side's limits and places, from the site's settings."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from orchard.conf import get_conf
from statecore.domain.labels import DeliveryPolicy
from statecore.repository import Limits


@cache
def state_limits() -> Limits:
    """How long issues, processes and locks are held, and how large values may be."""
    conf = get_conf()
    return Limits(
        issue_lease_ms=round(conf.issue_lease_s * 1000),
        heartbeat_limit_ms=round(conf.issue_silence_s * 1000),
        process_ttl_ms=round(conf.process_ttl_s * 1000),
        lock_ttl_ms=round(conf.lock_ttl_s * 1000),
        value_max_bytes=conf.value_max_bytes,
        events_max=conf.events_max,
        delivery=DeliveryPolicy(
            max_attempts=conf.label_max_attempts, backoff_s=conf.label_backoff_s
        ),
    )


def state_dir() -> Path:
    """The folder of request files, and of the state files of older systems."""
    conf = get_conf()
    return Path(conf.state_dir).expanduser() if conf.state_dir else conf.data_dir / "state"
