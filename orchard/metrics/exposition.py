"""One scrape: every figure of this moment, in the format that was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from orchard.logbook.contract import LogsAway
from orchard.logbook.site import get_reader
from orchard.metrics.catalogue import tell
from orchard.metrics.engine_figures import engine_figures
from orchard.metrics.fleet_figures import fleet_figures
from orchard.metrics.state_figures import state_figures
from orchard.metrics.traffic import own
from orchard.services import EngineAway, EngineBusy


class Exposition(NamedTuple):
    """The body of an answer and its type."""

    body: bytes
    content_type: str


class SiteCollector(Collector):
    """Reads the engine, the fleet, the state and the log database whenever it is asked."""

    def collect(self) -> Iterator[Metric]:
        """All figures; of what does not answer only that it does not."""
        yield from _engine()
        yield from _logs()


def scrape(accept: str = "") -> Exposition:
    """All figures as text, or as OpenMetrics where the ``Accept`` header asks for it."""
    encode, content_type = choose_encoder(accept)
    return Exposition(encode(_registry), content_type)


def _engine() -> list[Metric]:
    """All that is in the engine, or nothing of it: half of a picture would be a false one."""
    try:
        told = [*engine_figures(), *fleet_figures(), *state_figures()]
    except (EngineAway, EngineBusy):
        return [tell("orchard_engine_up", 0)]
    return [tell("orchard_engine_up", 1), *(family for family in told if family.samples)]


def _logs() -> list[Metric]:
    try:
        size = get_reader().describe().bytes
    except LogsAway:
        return [tell("orchard_logs_up", 0)]
    return [tell("orchard_logs_up", 1), tell("orchard_logs_bytes", size)]


class _Own(Collector):
    def collect(self) -> Iterator[Metric]:
        yield from own.collect()


_registry = CollectorRegistry(auto_describe=False)
_registry.register(SiteCollector())
_registry.register(_Own())
ProcessCollector(registry=_registry)
