"""Bringing what a fallback has saved into the engine; conflicts are known first."""

from __future__ import annotations

from pathlib import Path

import msgspec

from orchard.domain import repairs
from orchard.domain.jobs import Job
from orchard.fallback.saving import load_jobs
from orchard.ports import kept_back, recordings
from orchard.repository import Draft, find_job, job_cell
from orchard.services.limits import keeping
from statecore.ports.export_format import HISTORY, LABELS, METADATA, NAMESPACES, PROCESSES
from statecore.ports.export_reader import ExportFile
from statecore.services import recorded
from statecore.services.import_rows import add_row
from statecore.services.imports import check_export
from statecore.services.recorded import Outcome, Recorded
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.file_formats import compact

REASON = "it was at work in a fallback, whose memory is gone"


class Merge(msgspec.Struct, kw_only=True):
    """What a merge does, or would do."""

    folder: str
    new: list[str] = []
    """Entries that the engine does not have, as namespace/key."""
    equal: int = 0
    conflicts: list[str] = []
    """Entries of which the engine has another value."""
    jobs: list[str] = []
    """Jobs that come into the engine."""
    begun_again: list[str] = []
    """Those of them that were not finished and begin again with their recording."""
    known_jobs: list[str] = []
    """Jobs that the engine has, and keeps as they are there."""
    lost_jobs: list[str] = []
    """Jobs that were not finished and whose recording is not in storage."""


def merge(store: Store, folder: Path, *, dry_run: bool, overwrite: bool = False) -> Merge:
    """Bring it all in; of conflicts the engine's value stays, unless ``overwrite`` is said.

    Killed in the middle, it can be done again.

    Raises:
        BadExport: what was saved cannot be read; nothing was changed then.
        EngineAway: the engine cannot be reached.
    """
    report = Merge(folder=folder.name)
    jobs = load_jobs(folder)
    check_export(folder / kept_back.STATE)
    _merge_state(store, folder / kept_back.STATE, report, dry_run, overwrite)
    for job in jobs:
        _merge_job(store, job, report, dry_run)
    if not dry_run:
        (folder / kept_back.JOBS).rename(folder / f"merged-{kept_back.JOBS}")
    return report


def _merge_state(store: Store, path: Path, report: Merge, dry_run: bool, overwrite: bool) -> None:
    rows = (row for row in ExportFile(path).rows() if row.section == NAMESPACES)
    entries = (Recorded(row.namespace, row.name, compact(row.raw)) for row in rows)
    total = Outcome()
    for batch in recorded.batches(entries):
        steps = (
            recorded.compare(batch) if dry_run else recorded.put_batch(batch, overwrite=overwrite)
        )
        total += store.run(steps)
    report.new = [f"{namespace}/{key}" for namespace, key in total.new]
    report.conflicts = [f"{namespace}/{key}" for namespace, key in total.kept + total.replaced]
    report.equal = len(total.equal)
    if dry_run:
        return
    for row in ExportFile(path).rows():
        if row.section in (PROCESSES, LABELS, METADATA, HISTORY):
            store.run(add_row(row))


def _merge_job(store: Store, job: Job, report: Merge, dry_run: bool) -> None:
    cell = job_cell(job.job_id)
    (raw,) = store.read(cell)
    if find_job({cell: raw}, job.job_id):
        report.known_jobs.append(job.job_id)
    elif not job.has_ended and not recordings.exists(job.source):
        report.lost_jobs.append(job.job_id)
    elif dry_run or _write(store, job):
        report.jobs.append(job.job_id)
        report.begun_again += [] if job.has_ended else [job.job_id]
    else:
        report.known_jobs.append(job.job_id)


def _write(store: Store, job: Job) -> bool:
    """Put a job into the engine, if it still has none of this id."""
    at = store.now()
    draft = Draft(keeping(), at)
    if job.has_ended:
        draft.job(None, job)
    else:
        change = repairs.start_over(job, REASON, at=at)
        draft.job(None, change.job)
        draft.events(change.events)
    return isinstance(store.commit({job_cell(job.job_id): None}, draft.writes()), ops.Committed)
