"""Pieces of pages, fetched when an event says that they have changed."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from orchard.web import pages
from orchard.web.access import page


@page
def numbers(request: HttpRequest) -> HttpResponse:
    """The tiles of the overview."""
    return render(request, "orchard/parts/numbers.html", pages.numbers())


@page
def charts(request: HttpRequest) -> HttpResponse:
    """The charts of the overview."""
    return render(request, "orchard/parts/hour_charts.html", pages.charts())


@page
def job_changes(request: HttpRequest, job_id: str) -> HttpResponse:
    """The head of a job's page, and the table rows and text of some chunks (``?i=3&i=4``)."""
    asked = {int(i) for i in request.GET.getlist("i") if i.isascii() and i.isdigit()}
    context = pages.job_context(request, job_id)
    context["rows"] = [row for row in context["job"].rows if row.chunk.index in asked]
    context["blocks"] = [block for block in context["blocks"] if block.chunk.index in asked]
    return render(request, "orchard/parts/job_changes.html", context)
