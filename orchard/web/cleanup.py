"""Cleaning by hand: select things, look at what will happen, confirm, and watch it being done."""

from __future__ import annotations

import time
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from orchard.cleaning import runs
from orchard.cleaning.counts import count_waiting
from orchard.cleaning.deeds import DEEDS, deeds_for
from orchard.cleaning.things import KINDS, Filters, Kind, Thing
from orchard.models import CleaningRun
from orchard.roles import Role
from orchard.services import EngineAway, queries
from orchard.services import run as ask
from orchard.web.access import check_role, may_act, page
from orchard.web.cleanup_words import CHOICES, describe_filters, explain_problem, show

SHOWN = 100
"""How many of the things found are listed to be ticked."""
LOOK_S = 0.5
"""How long the list looks for things, in seconds; a run looks until it has found all."""


@page
def choose(request: HttpRequest) -> HttpResponse:
    """Things of one kind by filter, and what can be done to them."""
    kind = _kind(request)
    filters = _filters(request.GET, kind.filters)
    cursor = ask(queries.events_end())
    found = _look(kind, filters)
    deeds = [deed for deed in deeds_for(kind.name) if may_act(request.user, deed.needs)]
    context = _choices(kind) | {
        "page": "cleanup", "topic": "events", "cursor": cursor, "filters": filters,
        "things": [show(kind.name, thing) for thing in found.things], "found": found,
        "deeds": deeds, "may_act": bool(deeds),
        "fields": [(name, filters.get(name, ""), CHOICES.get(name)) for name in kind.filters],
        "latest": [(run, DEEDS.get(run.deed)) for run in CleaningRun.objects.defer("names")[:8]],
    }  # fmt: skip
    return render(request, "orchard/cleanup.html", context)


@page
def kinds(request: HttpRequest) -> HttpResponse:
    """The kinds of things with how many wait to be cleaned, for a page that is open."""
    return render(request, "orchard/parts/cleanup_kinds.html", _choices(_kind(request)))


@page
def show_run(request: HttpRequest, pk: int) -> HttpResponse:
    """A run: its preview, how far it is, or what it has done."""
    run = get_object_or_404(CleaningRun.objects.defer("names"), pk=pk)
    deed = DEEDS.get(run.deed)
    kind = KINDS[deed.kind if deed else "jobs"]
    context = {
        "page": "cleanup", "run": run, "deed": deed,
        "may_act": may_act(request.user, deed.needs if deed else Role.OPERATOR),
        "kind": kind, "said": describe_filters(run.filters),
        "things": [show(kind.name, Thing(name, state, shown)) for name, state, shown in run.shown],
        "problems": [(name, explain_problem(why)) for name, why in run.problems],
        "rest": max(0, run.total - len(run.shown)), "untold": run.skipped - len(run.problems),
        "others": _others(run),
    }  # fmt: skip
    return render(request, "orchard/cleanup_run.html", context)


@require_POST
@never_cache
@login_required
def preview(request: HttpRequest) -> HttpResponse:
    """Make a run of what was selected; nothing is done yet."""
    check_role(request)
    deed = DEEDS.get(request.POST.get("deed", ""))
    if deed is None:
        raise Http404
    check_role(request, deed.needs)
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
    if gone := len(set(names)) - run.total if names else 0:
        words = ngettext(
            "%(n)d of the selected is gone already.",
            "%(n)d of the selected are gone already.",
            gone,
        )
        messages.warning(request, words % {"n": gone})
    return HttpResponseRedirect(reverse("cleanup-run", args=[run.pk]))


@require_POST
@never_cache
@login_required
def move(request: HttpRequest, pk: int, to: str) -> HttpResponse:
    """Begin, go on with, or stop a run."""
    run = _allowed_run(request, pk)
    moved = runs.stop(run) if to == "stop" else runs.begin(run)
    if not moved:
        messages.error(request, _("Somebody else was faster: this has been done already."))
    return HttpResponseRedirect(reverse("cleanup-run", args=[pk]))


@require_POST
@never_cache
@login_required
def step(request: HttpRequest, pk: int) -> HttpResponse:
    """Do some more of a run; as JSON for the page's script, else back to the page."""
    run = _allowed_run(request, pk)
    try:
        run = runs.step(run)
    except EngineAway:
        return JsonResponse({"away": True}, status=503)
    if request.headers.get("X-Requested-With") != "fetch":
        return HttpResponseRedirect(reverse("cleanup-run", args=[pk]))
    names = ("state", "position", "total", "done", "skipped")
    return JsonResponse({name: getattr(run, name) for name in names})


def _allowed_run(request: HttpRequest, pk: int) -> CleaningRun:
    """The run that somebody wants to move, and may."""
    check_role(request)
    run = get_object_or_404(CleaningRun.objects.defer("names"), pk=pk)
    if deed := DEEDS.get(run.deed):
        check_role(request, deed.needs)
    return run


class _Found(NamedTuple):
    """What a look has found."""

    things: list[Thing]
    has_more: bool = False
    is_cut: bool = False
    """Whether it would have taken too long to look further."""


def _look(kind: Kind, filters: Filters) -> _Found:
    until, things = time.monotonic() + LOOK_S, list[Thing]()
    for thing in kind.find(filters):
        if thing is not None:
            things.append(thing)
        if len(things) > SHOWN:
            return _Found(things[:SHOWN], has_more=True)
        if time.monotonic() > until:
            return _Found(things, has_more=True, is_cut=True)
    return _Found(things)


def _choices(kind: Kind) -> dict[str, Any]:
    waiting = count_waiting()
    return {
        "kind": kind,
        "kinds": [(one, waiting.get(one.name, 0)) for one in KINDS.values()],
    }


def _others(run: CleaningRun) -> Any:
    """Runs of the same action that somebody else has under way, or prepared just before."""
    same = CleaningRun.objects.filter(deed=run.deed, filters=run.filters, total=run.total)
    waiting = same.filter(state=CleaningRun.RUNNING).exclude(pk=run.pk)
    return waiting.defer("names") if run.state == CleaningRun.PREVIEWED else ()


def _kind(request: HttpRequest) -> Kind:
    kind = KINDS.get(request.GET.get("kind", "jobs"))
    if kind is None:
        raise Http404
    return kind


def _filters(given: Any, names: tuple[str, ...]) -> dict[str, str]:
    return {name: given[name].strip()[:200] for name in names if given.get(name, "").strip()}


def _back(kind: str, filters: dict[str, str]) -> str:
    return f"{reverse('cleanup-page')}?{urlencode({'kind': kind, **filters})}"
