"""The setting of traces: whether there are any, and where they go."""

from __future__ import annotations

from dataclasses import dataclass

from orchard.conf_values import is_http_url, setting


def is_collector(value: str) -> str:
    """Check where traces go."""
    if value in ("", "otel") or not (allowed := is_http_url(value)):
        return ""
    return f"{allowed} of a collector, or otel for what the OTEL_ variables say"


@dataclass(frozen=True, kw_only=True)
class TracesConf:
    """What traces can be told."""

    traces: str = setting(
        "", "ORCHARD_TRACES",
        "Collector that traces are sent to by OTLP over HTTP, such as http://collector:4318; otel:"
        " as the OTEL_ variables say; empty: no traces.",
        check=is_collector,
    )  # fmt: skip
