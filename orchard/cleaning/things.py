"""Kinds of things that can be cleaned, and how those that a filter means are found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orchard.cleaning import expired
from orchard.cleaning.state_things import (
    find_entries,
    find_flag,
    find_issues,
    find_labels,
    find_locks,
    find_orphans,
    find_processes,
)
from orchard.cleaning.thing import Filters, Thing
from orchard.domain.jobs import Job
from orchard.services import queries, run, selections

__all__ = ["KINDS", "Filters", "Kind", "Thing"]

Word = str | Promise


class Kind(NamedTuple):
    """A kind of things, with the filters that it knows."""

    name: str
    label: Word
    filters: tuple[str, ...]
    find: Callable[[Filters], Iterator[Thing | None]]
    """What a filter means; ``None`` now and then while it looks on and has found nothing."""

    def all(self, filters: Filters) -> Iterator[Thing]:
        """Everything that a filter means, however long it takes to find."""
        return (thing for thing in self.find(filters) if thing)


def find_jobs(filters: Filters) -> Iterator[Thing | None]:
    """Jobs by state, age in hours and a part of their file's name."""
    at = run(queries.clock())
    older = timedelta(hours=_number(filters.get("older_h")))
    wanted, part = filters.get("status", ""), filters.get("q", "").casefold()
    for job in _all_jobs(wanted):
        if job is None:
            yield None
        elif at - job.updated_at >= older and part in job.filename.casefold():
            yield Thing(job.job_id, str(job.status), f"{job.filename} · {job.job_id}")


def find_letters(filters: Filters) -> Iterator[Thing | None]:
    """Jobs that failed, with the chunks that were given up; by a part of their file's name."""
    part = filters.get("q", "").casefold()
    for job in _all_jobs("failed"):
        if job is None:
            yield None
        elif part in job.filename.casefold():
            lost = [f"#{one.index}" for one in job.chunks or () if one.status == "failed"]
            reason, mark, facts = job.error.partition(": ")
            error = f"{gettext(reason) if reason else ''}{mark}{facts}"[:160]
            said = " · ".join(filter(None, (job.filename, " ".join(lost[:20]), error)))
            yield Thing(job.job_id, "failed", said)


def find_chunks(filters: Filters) -> Iterator[Thing | None]:
    """Chunks that are not done, of jobs that are worked on; by state and worker."""
    wanted = filters.get("chunk_status", "")
    worker = filters.get("worker", "").casefold()
    for job in _all_jobs("processing"):
        yield None
        if job is None:
            continue
        found = run(selections.chunks_of([job.job_id])).get(job.job_id, ())
        for chunk in found:
            is_meant = chunk.status == wanted if wanted else chunk.status != "completed"
            holders = ", ".join(chunk.worker_ids)
            if is_meant and worker in holders.casefold():
                name = f"{job.job_id}_chunk_{chunk.index}"
                shown = f"{job.filename} #{chunk.index} · {holders or '–'}"
                yield Thing(name, str(chunk.status), shown, str(chunk.greatest_token))


def find_workers(filters: Filters) -> Iterator[Thing]:
    """Workers by state and a part of their name."""
    wanted, part = filters.get("worker_status", ""), filters.get("q", "").casefold()
    for worker in run(queries.list_workers(100_000)):
        if wanted in ("", worker.status) and part in worker.worker_id.casefold():
            held = len(worker.pending_chunks)
            yield Thing(worker.worker_id, str(worker.status), f"{worker.worker_id} · {held}")


def find_expired(filters: Filters) -> Iterator[Thing]:
    """What has passed its time and is still kept; of one sort, when that is asked."""
    for pile, name in expired.find(filters.get("pile", "")):
        yield Thing(f"{pile}/{name}", pile, name)


def _all_jobs(status: str) -> Iterator[Job | None]:
    """Jobs of a state, newest first; ``None`` after each page but the last."""
    after: Any = None
    while True:
        found, after = run(selections.page_of_jobs(queries.job_status(status), after))
        yield from found
        if after is not None:
            yield None
        if after is None:
            return


def _number(text: str | None) -> float:
    try:
        return max(0.0, min(float(text or 0), 1e6))
    except ValueError:
        return 0.0


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("jobs", _("Jobs"), ("status", "older_h", "q"), find_jobs),
        Kind("letters", _("Dead letters"), ("q",), find_letters),
        Kind("chunks", _("Chunks"), ("chunk_status", "worker"), find_chunks),
        Kind("workers", _("Workers"), ("worker_status", "q"), find_workers),
        Kind("issues", _("Issues"), ("issue_status",), find_issues),
        Kind("orphans", _("Orphans"), (), find_orphans),
        Kind("processes", _("Processes"), ("zombies",), find_processes),
        Kind("locks", _("Locks"), ("q",), find_locks),
        Kind("entries", _("Entries"), ("namespace", "q"), find_entries),
        Kind("labels", _("Label requests"), (), find_labels),
        Kind("migration", _("Migration flag"), (), find_flag),
        Kind("expired", _("Expired"), ("pile",), find_expired),
    )
}
