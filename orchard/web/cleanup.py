"""Cleaning by hand: select things, look at what will happen, confirm, and watch it being done."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from orchard.cleaning import runs
from orchard.cleaning.deeds import DEEDS, deeds_for
from orchard.cleaning.things import KINDS
from orchard.models import CleaningRun
from orchard.services import EngineAway
from orchard.web.access import may_act, page
from orchard.web.cleanup_words import CHOICES, describe_filters

SHOWN = 100
"""How many of the things found are listed to be ticked."""


@page
def choose(request: HttpRequest) -> HttpResponse:
    """Things of one kind by filter, and what can be done to them."""
    kind = KINDS.get(request.GET.get("kind", "jobs"))
    if kind is None:
        raise Http404
    filters = _filters(request.GET, kind.filters)
    found = []
    for thing in kind.find(filters):
        found.append(thing)
        if len(found) > SHOWN:
            break
    context = {
        "page": "cleanup", "kind": kind, "kinds": KINDS.values(), "filters": filters,
        "things": found[:SHOWN], "has_more": len(found) > SHOWN, "deeds": deeds_for(kind.name),
        "fields": [(name, filters.get(name, ""), CHOICES.get(name)) for name in kind.filters],
        "may_act": may_act(request.user), "latest": CleaningRun.objects.defer("names")[:8],
    }  # fmt: skip
    return render(request, "orchard/cleanup.html", context)


@page
def show_run(request: HttpRequest, pk: int) -> HttpResponse:
    """A run: its preview, how far it is, or what it has done."""
    run = get_object_or_404(CleaningRun.objects.defer("names"), pk=pk)
    deed = DEEDS.get(run.deed)
    context = {
        "page": "cleanup", "run": run, "deed": deed, "may_act": may_act(request.user),
        "kind": KINDS[deed.kind] if deed else None, "said": describe_filters(run.filters),
        "rest": max(0, run.total - len(run.shown)),
    }  # fmt: skip
    return render(request, "orchard/cleanup_run.html", context)


@require_POST
@never_cache
def preview(request: HttpRequest) -> HttpResponse:
    """Make a run of what was selected; nothing is done yet."""
    _check(request)
    deed = DEEDS.get(request.POST.get("deed", ""))
    if deed is None:
        raise Http404
    filters = _filters(request.POST, KINDS[deed.kind].filters)
    names = [] if request.POST.get("all") else request.POST.getlist("name")
    if not names and not request.POST.get("all"):
        messages.error(request, _("Nothing was selected."))
        return HttpResponseRedirect(_back(deed.kind, filters))
    try:
        run = runs.prepare(deed, filters, names, request.user.get_username())
    except EngineAway:
        messages.error(request, _("The state engine is away; nothing was changed. Try again."))
        return HttpResponseRedirect(_back(deed.kind, filters))
    return HttpResponseRedirect(reverse("cleanup-run", args=[run.pk]))


@require_POST
@never_cache
def move(request: HttpRequest, pk: int, to: str) -> HttpResponse:
    """Begin, go on with, or stop a run."""
    _check(request)
    run = get_object_or_404(CleaningRun.objects.defer("names"), pk=pk)
    moved = runs.stop(run) if to == "stop" else runs.begin(run)
    if not moved:
        messages.error(request, _("Somebody else was faster: this has been done already."))
    return HttpResponseRedirect(reverse("cleanup-run", args=[pk]))


@require_POST
@never_cache
def step(request: HttpRequest, pk: int) -> HttpResponse:
    """Do some more of a run; as JSON for the page's script, else back to the page."""
    _check(request)
    run = get_object_or_404(CleaningRun, pk=pk)
    try:
        run = runs.step(run)
    except EngineAway:
        return JsonResponse({"away": True}, status=503)
    if request.headers.get("X-Requested-With") != "fetch":
        return HttpResponseRedirect(reverse("cleanup-run", args=[pk]))
    return JsonResponse(
        {
            "state": run.state, "position": run.position, "total": run.total, "done": run.done,
            "skipped": run.skipped,
        }
    )  # fmt: skip


def _check(request: HttpRequest) -> None:
    if not may_act(request.user):
        raise PermissionDenied


def _filters(given: Any, names: tuple[str, ...]) -> dict[str, str]:
    return {name: given[name].strip()[:200] for name in names if given.get(name, "").strip()}


def _back(kind: str, filters: dict[str, str]) -> str:
    return f"{reverse('cleanup-page')}?{urlencode({'kind': kind, **filters})}"
