"""The list of jobs: of a state, with words in their names, in an order, page by page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from orchard.catalogue import listing
from orchard.catalogue.finding import DEFAULT_SORT
from orchard.catalogue.listing import is_asked_for
from orchard.services import counts, queries, records, run
from orchard.web import words
from orchard.web.access import page
from orchard.web.asked import Asked, read_asked
from orchard.web.list_words import ALL, JOB_SORTS
from orchard.web.shown import show_job

PAGE = 50
MOST_ROWS = 60
"""Most rows that one request may ask for."""


@page
def jobs(request: HttpRequest) -> HttpResponse:
    """All jobs, newest first, page by page; of one state, by name or sorted when asked."""
    asked = read_asked(request.GET, words.ANY_JOB_STATES, JOB_SORTS)
    cursor = run(queries.events_end())
    found = listing.list_jobs(
        q=asked.q, status=asked.status, sort=asked.sort or DEFAULT_SORT, limit=PAGE,
        cursor=asked.cursor,
    )  # fmt: skip
    context = {
        "page": "jobs", "topic": "fleet", "cursor": cursor, "asked": asked, "found": found,
        "jobs": [show_job(view) for view in found.views],
        "next_url": asked.query(cursor=found.next) if found.next else "",
        "first_url": asked.query(), "filters": _filters(asked),
        "exportable": ("", "completed"),
        "sorts": JOB_SORTS.items(), "grows": asked.is_first and not (asked.status or asked.sort),
    }  # fmt: skip
    return render(request, "orchard/jobs.html", context)


@page
def job_rows(request: HttpRequest) -> HttpResponse:
    """The rows of some jobs (``?id=…&id=…``); those that are gone are left out.

    Of jobs that are not on the page yet (``&new=…``), only those that it asks for, and these
    only when the page would list them, too: the catalogue is told of them a little later.
    """
    asked = read_asked(request.GET, words.ANY_JOB_STATES, JOB_SORTS)
    views = run(records.read_views(request.GET.getlist("id")[:MOST_ROWS]))
    fresh = run(records.read_views(request.GET.getlist("new")[:MOST_ROWS]))
    fresh = [view for view in fresh if is_asked_for(view, q=asked.q, status=asked.status)]
    late = listing.not_yet_listed(fresh) if asked.sort or (asked.q and asked.status) else set()
    views += [view for view in fresh if view.job.job_id not in late]
    context = {"jobs": [show_job(view) for view in views], "late": late}
    return render(request, "orchard/parts/job_rows.html", context)


def _filters(asked: Asked) -> list[tuple[str, Any, int, str]]:
    """The states with how many jobs are in each, and where each leads."""
    by_status = run(counts.get_load()).by_status
    every = ("", ALL, sum(by_status.values()), asked.query(status=""))
    return [every, *(
        (name, label, by_status[name], asked.query(status=name))
        for name, label in words.ANY_JOB_STATES.items()
    )]  # fmt: skip
