"""What has passed its time and is still kept: normally cleared by itself, by hand when it is not.

Each pile is the part of an index up to some score, so that counting it costs
the same whatever else there is.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from orchard import keys
from orchard.conf import get_conf
from orchard.domain.errors import TransitionRefused
from orchard.domain.events import WorkerRemoved
from orchard.domain.lifecycle import ENDED
from orchard.domain.workers import worker_id
from orchard.ports import recordings
from orchard.repository import Draft, epoch_ms, find_worker, job_cell, worker_cell
from orchard.services import lanes, queries, reports
from orchard.services.limits import keeping
from statecore.store import ops
from statecore.store.steps import Decision, Seen, Steps, now, read, scan_index, transact

JOBS, LEASES, WORKERS, FILES = "jobs", "leases", "workers", "files"
PAGE = 500
FILES_AGE_S = 3600.0
"""Files younger than this may belong to a job that is on its way in."""

After = tuple[str, float, str] | None
"""Where a page of a pile ends: index, score and member of its last entry."""


class Page(NamedTuple):
    """Names of a pile, and where to go on; ``None`` after the last page."""

    names: list[str]
    after: After


def count() -> Steps[dict[str, int]]:
    """How many there are in each pile; files without a job cannot be counted without a search."""
    piles = yield from _piles()
    refs = [(name, ops.Count(key, high=high)) for name, pile in piles.items() for key, high in pile]
    found = yield from read(*(ref for _, ref in refs))
    totals = dict.fromkeys(piles, 0)
    for (name, _), number in zip(refs, found, strict=True):
        totals[name] += number
    return totals


def page(name: str, after: After = None) -> Steps[Page]:
    """Some of a pile, those first that should have gone first."""
    pile = (yield from _piles())[name]
    at = next((i for i, (key, _) in enumerate(pile) if after and key == after[0]), 0)
    key, high = pile[at]
    start = (after[1], after[2]) if after and after[2] else None
    entries = yield from scan_index(key, PAGE, high=high, after=start)
    names = [member for member, _ in entries]
    if len(entries) == PAGE:
        return Page(names, (key, entries[-1][1], entries[-1][0]))
    following = pile[at + 1 : at + 2]
    return Page(names, (following[0][0], 0.0, "") if following else None)


def find_files() -> Steps[list[str]]:
    """The ids of jobs that are gone, and whose files are still there."""
    found = recordings.list_jobs(FILES_AGE_S)
    gone: list[str] = []
    for start in range(0, len(found), PAGE):
        ids = found[start : start + PAGE]
        raws = yield from read(*map(job_cell, ids))
        gone += [job_id for job_id, raw in zip(ids, raws, strict=True) if raw is None]
    return gone


def purge(pile: str, name: str) -> Steps[None]:
    """Let go of one thing of a pile.

    Raises:
        TransitionRefused: it is gone already, or its time is not over (any more).
    """
    done = yield from _PURGES[pile](name)
    if not done:
        raise TransitionRefused("it is gone already, or its time is not over any more")


def _piles() -> Steps[dict[str, list[tuple[str, float]]]]:
    at_ms = epoch_ms((yield from now()))
    late_ms = at_ms - get_conf().chunk_lease_s * 1000
    found = yield from lanes.list_all()
    return {
        JOBS: [(keys.jobs_in(status), at_ms) for status in sorted(ENDED)],
        LEASES: [(keys.chunk_leases(lane), late_ms) for lane in found],
        WORKERS: [(keys.WORKERS, at_ms - keeping().worker_ttl_ms)],
    }


def _purge_lease(name: str) -> Steps[bool]:
    """Bring a chunk back whose lease ran out long ago."""
    for key, high in (yield from _piles())[LEASES]:
        (score,) = yield from read(ops.Score(key, name))
        if score is not None and score <= high:
            lane = key.removeprefix(keys.CHUNK_LEASES).removeprefix(":")
            yield from reports.expire(name, lane=lane)
            return True
    return False


def _purge_worker(url: str) -> Steps[bool]:
    def decide(seen: Seen, at: datetime) -> Decision[bool]:
        worker = find_worker(seen, url)
        if worker and epoch_ms(worker.last_updated) > epoch_ms(at) - keeping().worker_ttl_ms:
            return Decision(False)
        draft = Draft(keeping(), at)
        draft.drop_worker(url)
        draft.events([WorkerRemoved(at=at, worker_id=worker_id(url), reason="silent")])
        return Decision(True, draft.writes())

    (score,) = yield from read(ops.Score(keys.WORKERS, url))
    return score is not None and (yield from transact([worker_cell(url)], decide))


def _purge_files(job_id: str) -> Steps[bool]:
    (raw,) = yield from read(job_cell(job_id))
    if raw is not None or not recordings.has_any(job_id):
        return False
    recordings.delete(job_id)
    return True


_PURGES = {
    JOBS: queries.forget_job, LEASES: _purge_lease, WORKERS: _purge_worker, FILES: _purge_files,
}  # fmt: skip
