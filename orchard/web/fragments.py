"""Pieces of pages, fetched when an event says that they have changed."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from orchard.domain.errors import UnknownJob
from orchard.services import queries, run
from orchard.services.queries import JobView
from orchard.web import pages
from orchard.web.access import may_act, page
from orchard.web.shown import show_job

MOST = 60
"""Most things that one request may ask for."""


@page
def numbers(request: HttpRequest) -> HttpResponse:
    """The tiles of the overview."""
    return render(request, "orchard/parts/numbers.html", pages.numbers())


@page
def charts(request: HttpRequest) -> HttpResponse:
    """The charts of the overview."""
    return render(request, "orchard/parts/hour_charts.html", pages.charts())


@page
def job_rows(request: HttpRequest) -> HttpResponse:
    """The rows of some jobs (``?id=…&id=…``); those that are gone are left out."""
    views = [view for job_id in request.GET.getlist("id")[:MOST] if (view := _find(job_id))]
    context = {"jobs": [show_job(view) for view in views]}
    return render(request, "orchard/parts/job_rows.html", context)


@page
def workers(request: HttpRequest) -> HttpResponse:
    """All workers, as cards or (``?as=strip``) as short lines."""
    part = "worker_strip" if request.GET.get("as") == "strip" else "worker_cards"
    context = {
        "workers": pages.show_workers(run(queries.list_workers())),
        "may_act": may_act(request.user),
    }
    return render(request, f"orchard/parts/{part}.html", context)


@page
def job_changes(request: HttpRequest, job_id: str) -> HttpResponse:
    """The head of a job's page, and the table rows and text of some chunks (``?i=3&i=4``)."""
    asked = {int(i) for i in request.GET.getlist("i") if i.isascii() and i.isdigit()}
    context = pages.job_context(request, job_id)
    context["rows"] = [row for row in context["job"].rows if row.chunk.index in asked]
    context["blocks"] = [block for block in context["blocks"] if block.chunk.index in asked]
    return render(request, "orchard/parts/job_changes.html", context)


def _find(job_id: str) -> JobView | None:
    try:
        return run(queries.get_job(job_id))
    except UnknownJob:
        return None
