"""Lacks: whether a job waits for a worker that there is not, and what would help.

Only of a job whose chunks wait, and of which none is at work, the fleet is looked through;
and only until a worker is found that can begin.
"""

from __future__ import annotations

from orchard import keys
from orchard.domain.lacks import Lack, Reason, find_lack, is_here, takes_more, tell, waits
from orchard.domain.workers import Worker
from orchard.services import lanes
from orchard.services.counts import worker_bounds
from orchard.services.fleet_records import read_workers
from orchard.services.queries import JobView
from statecore.store.steps import Steps, scan_index

__all__ = ["REASONS", "Lack", "look", "tell", "waits"]

REASONS = tuple(str(reason) for reason in Reason)
"""The names of all reasons."""
PAGE = 100
"""So many workers are read at once."""


def look(view: JobView) -> Steps[Lack | None]:
    """What a job lacks to be gone on with; nothing for one that does not wait for workers."""
    if not waits(view.job, view.chunks):
        return None
    heard_ms, _ = yield from worker_bounds()
    here: list[Worker] = []
    able: list[Worker] = []
    after: tuple[float, str] | None = None
    while True:
        page = yield from scan_index(keys.WORKERS, PAGE, low=heard_ms, after=after)
        found = yield from read_workers([url for url, _ in page])
        here += filter(is_here, found)
        able = [worker for worker in here if lanes.is_served_by(view.job.lane, worker)]
        if len(page) < PAGE or any(map(takes_more, able)):
            return find_lack(view.job, here, able)
        url, last_ms = page[-1]
        after = (last_ms, url)
