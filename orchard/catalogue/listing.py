"""Pages of jobs for people and programs: found in the catalogue, read from the engine."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from orchard.catalogue import finding
from orchard.catalogue.finding import DEFAULT_SORT, Wanted
from orchard.catalogue.models import CataloguedJob
from orchard.catalogue.texts import contains, parse_words
from orchard.services import counts, queries, records, run
from orchard.services.queries import JobView, job_status


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One page of jobs as the engine knows them."""

    views: list[JobView]
    next: str | None
    count: int | None
    """How many there are on all pages; none when they were not counted, as there are many."""
    is_whole: bool = True
    """False while the catalogue is still being filled, so that some cannot be found yet."""


def list_jobs(
    *, q: str = "", status: str = "", sort: str = DEFAULT_SORT, limit: int = 50, cursor: str = ""
) -> Listed:
    """One page of the jobs that are asked for; from the engine alone when it has an index for them.

    Raises:
        InvalidInput: limit or cursor are none.
        EngineAway: the state engine cannot be reached.
    """
    words = parse_words(q)
    if not words and sort == DEFAULT_SORT:
        page = run(queries.list_jobs(status=job_status(status), limit=limit, cursor=cursor))
        return Listed(views=page.jobs, next=page.next, count=page.count)
    wanted = Wanted(words=words, status=status, sort=sort)
    found = finding.find(wanted, limit=limit, cursor=cursor)
    # The engine knows best: a job may be gone, or in another state, since the catalogue was told.
    views = [view for view in run(records.read_views(found.ids)) if status in ("", view.job.status)]
    count = found.count if words else _count(status)
    return Listed(views=views, next=found.next, count=count, is_whole=finding.is_complete())


def is_asked_for(view: JobView, *, q: str = "", status: str = "") -> bool:
    """Whether a job is on one of the pages of this."""
    has_words = contains(view.job.filename, view.job.job_id, parse_words(q))
    return has_words and status in ("", view.job.status)


def not_yet_listed(views: Sequence[JobView]) -> set[str]:
    """Those of these jobs that the catalogue does not know as they are now; soon it will."""
    ids = [view.job.job_id for view in views]
    rows = CataloguedJob.objects.filter(job_id__in=ids).values_list("job_id", "status")
    known = set(rows)
    return {
        job.job_id
        for job in (view.job for view in views)
        if (job.job_id, str(job.status)) not in known
    }


def _count(status: str) -> int:
    by_status = run(counts.get_load()).by_status
    return by_status[status] if status else sum(by_status.values())
