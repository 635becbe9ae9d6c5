"""Issues, processes, locks, label requests and entries of state in figures."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import Metric

from orchard.metrics.catalogue import tell, tell_each
from statecore.services import health, leftovers, run


def state_figures() -> Iterator[Metric]:
    """What is told of the state side.

    Raises:
        EngineAway: the state engine does not answer.
    """
    held, dead = run(health.count_state()), run(leftovers.count_dead())
    yield tell_each("orchard_issues", [((str(name),), n) for name, n in held.issues.items()])
    yield tell("orchard_issues_orphaned", dead.orphans)
    yield tell("orchard_processes", held.processes)
    yield tell("orchard_processes_dead", dead.processes)
    yield tell("orchard_locks", held.locks)
    labels = [((str(name),), n) for name, n in held.labels.items()]
    yield tell_each("orchard_label_requests", labels)
    yield tell("orchard_state_entries", sum(held.entries.values()))
