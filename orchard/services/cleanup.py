"""Clearing up: silent workers, expired leases, jobs past their time, files without a job."""

from __future__ import annotations

from datetime import datetime

import msgspec

from orchard import keys
from orchard.conf import get_conf
from orchard.domain import workers
from orchard.domain.events import WorkerRemoved
from orchard.domain.lifecycle import ENDED, WorkerStatus
from orchard.ports import kept_back, recordings
from orchard.repository import Draft, epoch_ms, find_worker, job_cell, worker_cell
from orchard.services import lanes, queries, reports
from orchard.services.limits import keeping
from statecore.store import ops
from statecore.store.cursors import make_cursor
from statecore.store.steps import Decision, Seen, Steps, now, read, scan_index, transact

BATCH = 100
"""Most entries that one round clears of each kind; the next round goes on."""

REAPER_TTL_MS = 5_000


class Cleared(msgspec.Struct, frozen=True):
    """What one round cleared."""

    leases: int = 0
    workers: int = 0
    jobs: int = 0


def lead(holder: str) -> Steps[bool]:
    """Become, or stay, the one process that clears up; the lead falls free after 5 s."""

    def decide(seen: Seen, at: datetime) -> Decision[bool]:
        if seen[cell] not in (None, holder.encode()):
            return Decision(False)
        return Decision(True, (ops.Set(keys.REAPER, holder.encode(), REAPER_TTL_MS),))

    cell = ops.Key(keys.REAPER)
    return (yield from transact([cell], decide))


def clear_once(cursor: str = "") -> Steps[tuple[Cleared, str]]:
    """Clear one batch of everything; the cursor walks over the jobs, page by page."""
    leases = yield from expire_leases()
    silent = yield from watch_workers()
    expired = yield from expire_jobs()
    if not cursor:
        yield from lanes.forget_idle()
    healed, cursor = yield from heal_jobs(cursor)
    return Cleared(leases=leases, workers=silent, jobs=expired + healed), cursor


def expire_leases() -> Steps[int]:
    """Bring back chunks whose worker fell silent, and those whose rest is over."""
    at_ms = epoch_ms((yield from now()))
    count = 0
    for lane in (yield from lanes.list_all()):
        due = yield from scan_index(keys.chunk_leases(lane), BATCH, high=at_ms)
        for name, _ in due:
            yield from reports.expire(name, lane=lane)
        count += len(due)
    return count


def watch_workers() -> Steps[int]:
    """Mark workers that fell silent as offline, and forget those that stay silent."""
    at_ms = epoch_ms((yield from now()))
    heard_ms = at_ms - get_conf().worker_online_s * 1000
    gone_ms = at_ms - keeping().worker_ttl_ms
    silent = yield from scan_index(keys.WORKERS, BATCH, high=heard_ms)
    for url, score in silent:
        yield from (_forget_worker(url) if score <= gone_ms else _mark_silent(url, heard_ms))
    return len(silent)


def _mark_silent(url: str, heard_ms: float) -> Steps[None]:
    def decide(seen: Seen, at: datetime) -> Decision[None]:
        worker = find_worker(seen, url)
        draft = Draft(keeping(), at)
        if worker is None:
            draft.drop_worker(url)
        elif epoch_ms(worker.last_updated) > heard_ms or worker.status is WorkerStatus.OFFLINE:
            return Decision(None)
        else:
            change = workers.fall_silent(worker, at=at)
            draft.worker(change.worker)
            draft.events(change.events)
        return Decision(None, draft.writes())

    yield from transact([worker_cell(url)], decide)


def _forget_worker(url: str) -> Steps[None]:
    def decide(seen: Seen, at: datetime) -> Decision[None]:
        worker = find_worker(seen, url)
        if worker and epoch_ms(worker.last_updated) > epoch_ms(at) - keeping().worker_ttl_ms:
            return Decision(None)
        draft = Draft(keeping(), at)
        draft.drop_worker(url)
        gone = WorkerRemoved(at=at, worker_id=workers.worker_id(url), reason="silent")
        draft.events([gone])
        return Decision(None, draft.writes())

    yield from transact([worker_cell(url)], decide)


def expire_jobs() -> Steps[int]:
    """Forget ended jobs whose time is over, with their sound and transcripts."""
    at_ms = epoch_ms((yield from now()))
    count = 0
    for status in ENDED:
        due = yield from scan_index(keys.jobs_in(status), BATCH, high=at_ms)
        for job_id, _ in due:
            count += yield from queries.forget_job(job_id)
    return count


def heal_jobs(cursor: str) -> Steps[tuple[int, str]]:
    """Look at one page of the index for jobs whose record was deleted by hand."""
    after = queries.parse_cursor(cursor)
    page = yield from scan_index(keys.JOBS, BATCH, after=after)
    cells = [job_cell(job_id) for job_id, _ in page]
    raws = yield from read(*cells)
    yield from lanes.heal(raws)
    healed = 0
    for (job_id, _), raw in zip(page, raws, strict=True):
        if raw is None:
            healed += yield from queries.forget_job(job_id)
    return healed, make_cursor(*page[-1]) if len(page) == BATCH else ""


def delete_orphaned_files(older_than_s: float = 3600) -> Steps[list[str]]:
    """Delete the files of jobs that no longer exist, as after a ``FLUSHDB`` by hand.

    A folder younger than ``older_than_s`` stays: its job may be on its way in. All of them
    stay as long as a fallback waits to be merged: its jobs are not in the engine yet.
    """
    if kept_back.waiting():
        return []
    found = recordings.list_jobs(older_than_s)
    gone = []
    for start in range(0, len(found), BATCH):
        ids = found[start : start + BATCH]
        raws = yield from read(*map(job_cell, ids))
        gone += [job_id for job_id, raw in zip(ids, raws, strict=True) if raw is None]
    for job_id in gone:
        recordings.delete(job_id)
    return gone
