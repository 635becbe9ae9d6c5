"""The state browser: namespaces, their entries, and one entry with its history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from orchard.roles import Role
from orchard.services import queries
from orchard.services import run as run_job
from orchard.web import json_shown
from orchard.web.access import may_act, page
from orchard.web.json_shown import show_value
from orchard.web.revisions import ShownRevision
from statecore.domain.entries import DEFAULT_NAMESPACES, Entry
from statecore.domain.errors import InvalidInput, NotFound, StateError
from statecore.services import browsing, editing, entry_pages, health, namespaced, run

PAGE = 50
FLAG = ("config", "statusManagerMigrated")
"""The entry that says that the state of an older system was taken over."""


@dataclass(frozen=True)
class Row:
    """One entry in the list of its namespace."""

    entry: Entry
    url: str

    @property
    def facts(self) -> str:
        return json_shown.describe(self.entry.raw)

    @property
    def preview(self) -> str:
        return json_shown.preview(self.entry.raw)


def state_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page on state; what does not exist, or cannot, is said on a page of its own."""

    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except (NotFound, InvalidInput) as fault:
            return say_missing(request, fault)

    return page(answer)


@state_page
def namespaces(request: HttpRequest) -> HttpResponse:
    """All namespaces with how many entries they have."""
    cursor = run_job(queries.events_end())
    counts = run(health.count_entries())
    context = {
        "page": "state", "topic": "state", "cursor": cursor, "refresh": True,
        "namespaces": [(name, counts[name], name in DEFAULT_NAMESPACES) for name in counts],
        "may_act": may_act(request.user, Role.ADMIN),
    }  # fmt: skip
    return render(request, "orchard/state.html", context)


@state_page
def new_entry(request: HttpRequest) -> HttpResponse:
    """Go to the page of an entry that somebody names, where it can be made."""
    namespace, key = request.GET.get("namespace", "").strip(), request.GET.get("key", "")
    run(namespaced.get(namespace, key))  # refuses what cannot be a name
    return HttpResponseRedirect(entry_url(namespace, key))


@state_page
def namespace(request: HttpRequest, namespace: str) -> HttpResponse:
    """The entries of a namespace; those that hold a text (``?q=``), page by page."""
    cursor = run_job(queries.events_end())
    search, after = request.GET.get("q", "").strip(), request.GET.get("after", "")
    found = run(entry_pages.page_entries(namespace, search=search, after=after, limit=PAGE))
    kept = {"q": search} if search else {}
    context = {
        "page": "namespace", "topic": f"state:{namespace}", "cursor": cursor, "refresh": True,
        "namespace": namespace, "found": found, "search": search,
        "rows": [Row(one, entry_url(namespace, one.key)) for one in found.entries],
        "first_url": "?" + urlencode(kept),
        "next_url": "?" + urlencode(kept | {"after": found.next}) if found.next else "",
        "may_act": may_act(request.user, Role.ADMIN),
    }  # fmt: skip
    return render(request, "orchard/namespace.html", context)


@state_page
def entry(request: HttpRequest, namespace: str) -> HttpResponse:
    """One entry: its value, its history and an editor; who may, can make one that is not there."""
    key = request.GET.get("key", "")
    context = entry_context(request, namespace, key)
    if context["entry"] is None and not context["may_act"]:
        raise NotFound(f"{namespace}/{key}")
    return render(request, "orchard/entry.html", context)


@state_page
def download(request: HttpRequest, namespace: str) -> HttpResponse:
    """The value of an entry as it is stored, as a file."""
    found = run(namespaced.require(namespace, request.GET.get("key", "")))
    answer = HttpResponse(found.raw, content_type="application/json; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="value.json"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def entry_context(request: HttpRequest, namespace: str, key: str) -> dict[str, Any]:
    """What the page of an entry shows.

    Raises:
        InvalidInput: namespace or key cannot be a name.
    """
    cursor = run_job(queries.events_end())
    found = run(namespaced.get(namespace, key))
    shown = show_value(found.raw) if found else None
    before = request.GET.get("before", "")
    history = run(browsing.history(namespace, key, before=before))
    return {
        "page": "entry", "topic": f"state:{namespace}", "cursor": cursor, "refresh": True,
        "namespace": namespace, "key": key, "entry": found, "shown": shown,
        "mark": editing.mark_of(found), "typed": shown.text if shown else "",
        "as_text": request.GET.get("as") == "text" or bool(shown and shown.tree is None),
        "history": history, "before": before,
        "revisions": [ShownRevision(one) for one in history.revisions],
        "is_flag": (namespace, key) == FLAG, "issue_url": _issue_url(namespace, key),
        "may_act": may_act(request.user, Role.ADMIN), "query": urlencode({"key": key}),
        "url": entry_url(namespace, key),
    }  # fmt: skip


def entry_url(namespace: str, key: str) -> str:
    """The address of an entry's page."""
    return f"{reverse('entry-page', args=[namespace])}?{urlencode({'key': key})}"


def say_missing(request: HttpRequest, fault: StateError) -> HttpResponse:
    """The page for what is not there, or cannot be."""
    reason = _("There is no such entry.")
    if isinstance(fault, InvalidInput):
        reason = _("This cannot be the name of a namespace or an entry: %(why)s") % {"why": fault}
    context = {"reason": reason, "page": "state"}
    return render(request, "orchard/state_missing.html", context, status=404)


def _issue_url(namespace: str, key: str) -> str:
    """The page of the issue that an entry describes."""
    if namespace != "issues" or not (key.isascii() and key.isdigit()):
        return ""
    try:
        return reverse("issue-page", args=[key])
    except NoReverseMatch:
        return ""
