"""The engine in figures: what it tells of itself, and how fast it answers this process."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import Metric

from orchard.metrics.catalogue import tell, tell_each, tell_info
from statecore.domain.health import EngineFacts
from statecore.services import health
from statecore.services.health import Health

_FACTS = {
    "orchard_engine_uptime_seconds": "uptime_s",
    "orchard_engine_keys": "keys",
    "orchard_engine_memory_bytes": "memory_bytes",
    "orchard_engine_memory_limit_bytes": "memory_limit_bytes",
    "orchard_engine_memory_peak_bytes": "memory_peak_bytes",
    "orchard_engine_clients": "clients",
    "orchard_engine_clients_limit": "clients_limit",
    "orchard_engine_operations_per_second": "ops_per_s",
    "orchard_engine_append_only": "append_only",
    "orchard_engine_append_only_ok": "append_only_ok",
    "orchard_engine_snapshot_ok": "snapshot_ok",
    "orchard_engine_snapshot_timestamp_seconds": "snapshot_at",
    "orchard_engine_replicas": "replicas",
    "orchard_engine_evicted_keys_total": "evicted",
    "orchard_engine_rejected_connections_total": "rejected",
}
"""By the name of the figure: the fact that it is."""


def engine_figures() -> Iterator[Metric]:
    """What is told of an engine that answers; what it does not tell is left out.

    Raises:
        EngineAway: it does not answer.
    """
    found = health.examine()
    facts = found.facts
    yield tell_info("orchard_engine_info", (facts.engine, facts.software, facts.role))
    yield from _facts(facts)
    yield from _looks(found)
    yield tell("orchard_events", sum(facts.streams.values()))


def _facts(facts: EngineFacts) -> Iterator[Metric]:
    for name, fact in _FACTS.items():
        if (value := getattr(facts, fact)) is not None:
            yield tell(name, value)


def _looks(found: Health) -> Iterator[Metric]:
    times = [(("0.5",), found.now.p50_ms / 1000), (("0.95",), found.now.p95_ms / 1000)]
    yield tell_each("orchard_engine_read_seconds", times)
    grave = sum(concern.grave for concern in found.concerns)
    rows = [(("true",), grave), (("false",), len(found.concerns) - grave)]
    yield tell_each("orchard_engine_concerns", rows)
