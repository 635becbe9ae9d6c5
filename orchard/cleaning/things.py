"""Kinds of things that can be cleaned, and how those that a filter means are found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orchard.domain.jobs import Job
from orchard.services import queries, run, selections
from statecore.services import (
    issue_lists,
    labels,
    locks,
    namespaced,
    orphans,
    processes,
)

Word = str | Promise
Filters = Mapping[str, str]


class Thing(NamedTuple):
    """One thing that an action may be done to."""

    name: str
    """What it is told apart by; an action needs nothing else."""
    state: str
    shown: str
    """A line for people."""


class Kind(NamedTuple):
    """A kind of things, with the filters that it knows."""

    name: str
    label: Word
    filters: tuple[str, ...]
    find: Callable[[Filters], Iterator[Thing]]


def find_jobs(filters: Filters) -> Iterator[Thing]:
    """Jobs by state, age in hours and a part of their file's name."""
    at = run(queries.clock())
    older = timedelta(hours=_number(filters.get("older_h")))
    wanted, part = filters.get("status", ""), filters.get("q", "").casefold()
    for job in _all_jobs(wanted):
        if at - job.updated_at >= older and part in job.filename.casefold():
            yield Thing(job.job_id, str(job.status), f"{job.filename} · {job.job_id}")


def find_chunks(filters: Filters) -> Iterator[Thing]:
    """Chunks that are not done, of jobs that are worked on; by state and worker."""
    wanted = filters.get("chunk_status", "")
    worker = filters.get("worker", "").casefold()
    for job in _all_jobs("processing"):
        found = run(selections.chunks_of([job.job_id])).get(job.job_id, ())
        for chunk in found:
            is_meant = chunk.status == wanted if wanted else chunk.status != "completed"
            if is_meant and worker in chunk.worker_id.casefold():
                name = f"{job.job_id}_chunk_{chunk.index}"
                shown = f"{job.filename} #{chunk.index} · {chunk.worker_id or '–'}"
                yield Thing(name, str(chunk.status), shown)


def find_workers(filters: Filters) -> Iterator[Thing]:
    """Workers by state and a part of their name."""
    wanted, part = filters.get("worker_status", ""), filters.get("q", "").casefold()
    for worker in run(queries.list_workers()):
        if wanted in ("", worker.status) and part in worker.worker_id.casefold():
            yield Thing(worker.worker_id, str(worker.status), worker.url)


def find_issues(filters: Filters) -> Iterator[Thing]:
    """Issues by state."""
    cursor: str | None = ""
    status = filters.get("issue_status", "")
    while cursor is not None:
        page = run(issue_lists.list_issues(status=_issue_status(status), limit=200, cursor=cursor))
        cursor = page.next
        for issue in page.issues:
            shown = f"#{issue.number} · {issue.process_id or '–'}"
            yield Thing(str(issue.number), str(issue.status), shown)


def find_orphans(filters: Filters) -> Iterator[Thing]:
    """Issues whose process is gone."""
    for orphan in run(orphans.detect()):
        shown = f"#{orphan.issue.number} · {orphan.issue.process_id} · {orphan.reason}"
        yield Thing(str(orphan.issue.number), "orphaned", shown)


def find_processes(filters: Filters) -> Iterator[Thing]:
    """Processes: those found dead, or all that have not ended."""
    zombies = set(run(processes.find_zombies()))
    for name in sorted(zombies):
        yield Thing(name, "zombie", name)
    if filters.get("zombies") != "1":
        for process in run(processes.list_processes(100_000)):
            if process.process_id not in zombies:
                yield Thing(process.process_id, process.status, process.process_id)


def find_locks(filters: Filters) -> Iterator[Thing]:
    """Locks that are held, by a part of their name."""
    part = filters.get("q", "").casefold()
    for lock in run(locks.list_locks(100_000)):
        if part in lock.name.casefold():
            yield Thing(lock.name, "held", f"{lock.name} · {lock.owner}")


def find_entries(filters: Filters) -> Iterator[Thing]:
    """Entries of one namespace, by a part of their key."""
    namespace, part = filters.get("namespace", ""), filters.get("q", "").casefold()
    if namespace:
        for key, entry in sorted(run(namespaced.get_all(namespace)).items()):
            if part in key.casefold():
                shown = f"{namespace}/{key} · {entry.raw[:80].decode('utf-8', 'replace')}"
                yield Thing(f"{namespace}/{key}", str(entry.version), shown)


def find_labels(filters: Filters) -> Iterator[Thing]:
    """Label requests that were given up."""
    cursor: str | None = ""
    while cursor is not None:
        page = run(labels.list_requests(labels.FAILED, limit=200, cursor=cursor))
        cursor = page.next
        for request in page.requests:
            error = request.errors[-1] if request.errors else ""
            shown = f"#{request.issue} · {error[:80]}"
            yield Thing(request.request_id, str(request.status), shown)


def _all_jobs(status: str) -> Iterator[Job]:
    after: Any = None
    while True:
        found, after = run(selections.page_of_jobs(queries.job_status(status), after))
        yield from found
        if after is None:
            return


def _issue_status(name: str) -> Any:
    return issue_lists.status_named(name) if name else None


def _number(text: str | None) -> float:
    try:
        return max(0.0, min(float(text or 0), 1e6))
    except ValueError:
        return 0.0


KINDS = {
    kind.name: kind
    for kind in (
        Kind("jobs", _("Jobs"), ("status", "older_h", "q"), find_jobs),
        Kind("chunks", _("Chunks"), ("chunk_status", "worker"), find_chunks),
        Kind("workers", _("Workers"), ("worker_status", "q"), find_workers),
        Kind("issues", _("Issues"), ("issue_status",), find_issues),
        Kind("orphans", _("Orphans"), (), find_orphans),
        Kind("processes", _("Processes"), ("zombies",), find_processes),
        Kind("locks", _("Locks"), ("q",), find_locks),
        Kind("entries", _("State"), ("namespace", "q"), find_entries),
        Kind("labels", _("Label requests"), (), find_labels),
    )
}
