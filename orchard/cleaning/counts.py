"""How much waits to be cleaned, by kind: read from indexes, so that it costs the same always."""

from __future__ import annotations

from orchard.cleaning import expired
from orchard.services import counts, run
from orchard.services.queries import job_status
from statecore.services import leftovers


def count_waiting() -> dict[str, int]:
    """What is broken, given up, or past its time, by kind; kinds with nothing are left out.

    Orphans are left out as well while so many issues are checked out that
    looking at them all would take long.
    """
    dead = run(leftovers.count_dead())
    failed = job_status("failed")
    found = {
        "letters": run(counts.count_jobs())[failed] if failed else 0,
        "workers": run(counts.get_stats()).workers.offline,
        "orphans": dead.orphans or 0,
        "processes": dead.processes,
        "labels": dead.labels,
        "expired": expired.count(),
    }
    return {kind: number for kind, number in found.items() if number}
