"""The health of the state engine: what is known of it, and what somebody should look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

NEAR = 0.8
"""The share of a limit from which it is near."""
SLOW_MS = 50.0
"""A read that takes longer is felt on every page."""
DISK_LEAST_BYTES = 200_000_000
"""Free disk below which files may soon not be written."""
DURABLE_ELSEWHERE = frozenset({"file"})
"""Engines whose data is on disk whatever they tell."""


class EngineFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine tells of itself; ``None`` is what it does not tell."""

    engine: str
    software: str = ""
    role: str = ""
    uptime_s: int | None = None
    keys: int | None = None
    memory_bytes: int | None = None
    memory_limit_bytes: int | None = None
    memory_peak_bytes: int | None = None
    clients: int | None = None
    clients_limit: int | None = None
    ops_per_s: int | None = None
    replicas: int | None = None
    append_only: bool | None = None
    append_only_ok: bool = True
    snapshots: bool | None = None
    snapshot_at: int | None = None
    """Epoch seconds."""
    snapshot_ok: bool = True
    policy: str = ""
    evicted: int = 0
    rejected: int = 0
    disk_bytes: int | None = None
    disk_free_bytes: int | None = None
    streams: Mapping[str, int] = {}

    @property
    def memory_share(self) -> float | None:
        """How much of the memory it may use is used; ``None`` without a limit."""
        return _share(self.memory_bytes, self.memory_limit_bytes)

    @property
    def clients_share(self) -> float | None:
        """How many of the clients it may have are there."""
        return _share(self.clients, self.clients_limit)


class Concern(msgspec.Struct, frozen=True):
    """Something to look at, by its name; a grave one can lose data or stop the fleet."""

    name: str
    grave: bool = False


def find_concerns(facts: EngineFacts, p95_ms: float | None) -> list[Concern]:
    """What somebody should look at, the grave ones first."""
    found = [*_losses(facts), *_limits(facts, p95_ms)]
    return sorted(found, key=lambda concern: not concern.grave)


def _losses(facts: EngineFacts) -> Iterator[Concern]:
    if facts.engine == "memory":
        yield Concern("in_memory", grave=True)
    elif facts.engine not in DURABLE_ELSEWHERE and facts.append_only is False:
        # Who may not ask for the settings does not know of snapshots, and is told the worst.
        yield Concern("snapshots_only") if facts.snapshots else Concern("not_kept", grave=True)
    if facts.append_only and not facts.append_only_ok:
        yield Concern("append_only_fails", grave=True)
    if not facts.snapshot_ok:
        yield Concern("snapshot_fails", grave=True)
    if facts.policy not in ("", "noeviction"):
        yield Concern("evicts", grave=True)
    if facts.evicted:
        yield Concern("has_evicted", grave=True)


def _limits(facts: EngineFacts, p95_ms: float | None) -> Iterator[Concern]:
    if (facts.memory_share or 0) >= NEAR:
        yield Concern("memory_near", grave=True)
    if (facts.clients_share or 0) >= NEAR:
        yield Concern("clients_near")
    if facts.rejected:
        yield Concern("rejected_clients")
    if facts.role == "replica":
        yield Concern("is_replica", grave=True)
    if (p95_ms or 0) > SLOW_MS:
        yield Concern("slow")
    if facts.disk_free_bytes is not None and facts.disk_free_bytes < DISK_LEAST_BYTES:
        yield Concern("disk_near", grave=True)


def _share(part: int | None, whole: int | None) -> float | None:
    return part / whole if part is not None and whole else None
