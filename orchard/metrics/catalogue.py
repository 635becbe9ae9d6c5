"""Every figure that is told, with its type, its labels and what it means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

Row = tuple[Sequence[str], float | None]
"""Values of the labels, and the figure; ``None`` is not told."""


class Figure(NamedTuple):
    """One figure; its unit is the end of its name."""

    name: str
    kind: str
    meaning: str
    labels: tuple[str, ...] = ()


_G, _C = "gauge", "counter"

FIGURES = (
    Figure("orchard_engine_up", _G, "1 when the state engine answers, else 0"),
    Figure("orchard_engine_info", "info", "What the engine is", ("engine", "software", "role")),
    Figure("orchard_engine_uptime_seconds", _G, "Time since the engine started"),
    Figure("orchard_engine_keys", _G, "Keys in the engine"),
    Figure("orchard_engine_memory_bytes", _G, "Memory that the engine uses"),
    Figure("orchard_engine_memory_limit_bytes", _G, "Memory that it may use; 0 is no limit"),
    Figure("orchard_engine_memory_peak_bytes", _G, "The most memory that it used so far"),
    Figure("orchard_engine_clients", _G, "Connections to the engine"),
    Figure("orchard_engine_clients_limit", _G, "Connections that it takes at most"),
    Figure("orchard_engine_operations_per_second", _G, "Operations in the last second"),
    Figure("orchard_engine_append_only", _G, "1 when changes are written to disk one by one"),
    Figure("orchard_engine_append_only_ok", _G, "0 when the last such write failed"),
    Figure("orchard_engine_snapshot_ok", _G, "0 when the last snapshot failed"),
    Figure("orchard_engine_snapshot_timestamp_seconds", _G, "When the last snapshot was made"),
    Figure("orchard_engine_replicas", _G, "Replicas that are connected"),
    Figure("orchard_engine_evicted_keys_total", _C, "Keys forgotten to make room; any is a fault"),
    Figure("orchard_engine_rejected_connections_total", _C, "Connections refused as too many"),
    Figure("orchard_engine_read_seconds", _G,
           "How long this process waited for a read lately, by the share that was no slower",
           ("quantile",)),
    Figure("orchard_engine_concerns", _G, "What the page of the engine warns of", ("grave",)),
    Figure("orchard_events", _G, "Events kept in the stream"),
    Figure("orchard_jobs", _G, "Jobs by state", ("status",)),
    Figure("orchard_job_oldest_age_seconds", _G,
           "Time since the oldest job in a state was created; none for a state without jobs",
           ("status",)),
    Figure("orchard_stages_waiting", _G, "Jobs that wait for a pipeline process"),
    Figure("orchard_stage_oldest_age_seconds", _G,
           "Time since the oldest of them was created; none when none waits"),
    Figure("orchard_chunks_waiting", _G, "Chunks in the queue"),
    Figure("orchard_chunks_leased", _G, "Chunks with workers, or resting until their next attempt"),
    Figure("orchard_chunks_completed_total", _C, "Chunks with an accepted result"),
    Figure("orchard_chunks_failed_total", _C, "Chunks given up: dead letters"),
    Figure("orchard_chunks_doubted_total", _C, "Chunks done once more because of a doubtful text"),
    Figure("orchard_sample_timestamp_seconds", _G,
           "When a pipeline process last counted; it stands still when none runs"),
    Figure("orchard_workers", _G, "Workers by state", ("status",)),
    Figure("orchard_workers_by_mode", _G, "Workers by state and mode (pull: agents, push: nodes)",
           ("mode", "status")),
    Figure("orchard_worker_pace_ratio", _G,
           "Seconds that a worker takes over a second of sound; lower is faster", ("worker",)),
    Figure("orchard_worker_chunks_completed_total", _C,
           "Chunks that a worker did since it registered", ("worker",)),
    Figure("orchard_dispatchers", _G, "Dispatchers at work"),
    Figure("orchard_issues", _G, "Issues by state", ("status",)),
    Figure("orchard_issues_orphaned", _G,
           "Issues whose process is gone; none when more than 2000 are checked out"),
    Figure("orchard_processes", _G, "Processes that are known"),
    Figure("orchard_processes_dead", _G, "Processes found dead and not cleared up, 500 at most"),
    Figure("orchard_locks", _G, "Locks that are held"),
    Figure("orchard_label_requests", _G,
           "Label requests by state: queued wait, failed are dead letters", ("status",)),
    Figure("orchard_state_entries", _G, "Entries of state in all namespaces"),
    Figure("orchard_logs_up", _G, "1 when the log database answers, else 0"),
    Figure("orchard_logs_bytes", _G, "Disk that the log database takes"),
)  # fmt: skip
"""All that is told besides what :mod:`orchard.metrics.traffic` counts in this process."""

_BY_NAME = {figure.name: figure for figure in FIGURES}


def tell(name: str, value: float | None) -> Metric:
    """A figure without labels."""
    return tell_each(name, [((), value)])


def tell_each(name: str, rows: Iterable[Row]) -> Metric:
    """A figure with a value for each combination of its labels."""
    figure = _BY_NAME[name]
    make = CounterMetricFamily if figure.kind == _C else GaugeMetricFamily
    family = make(name, figure.meaning, labels=figure.labels)
    for labels, value in rows:
        if value is not None:
            family.add_metric(labels, float(value))
    return family


def tell_info(name: str, values: Sequence[str]) -> Metric:
    """Facts that are words; the figure itself is always 1."""
    figure = _BY_NAME[name]
    family = InfoMetricFamily(name.removesuffix("_info"), figure.meaning)
    family.add_metric((), dict(zip(figure.labels, values, strict=True)))
    return family
