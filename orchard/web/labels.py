"""The page of label requests: what waits, what was given up and why, and trying again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orchard.services import queries
from orchard.web.access import Done, action, may_act, page
from orchard.web.issue_words import LABEL_STATES
from orchard.web.looking import look_through, query_of, read_search
from orchard.web.words import Word
from statecore.domain.labels import LabelRequest
from statecore.domain.lifecycle import LabelStatus
from statecore.services import labels as service
from statecore.services import run


@dataclass(frozen=True)
class ShownRequest:
    """A label request with what it asks for, and how it fared."""

    request: LabelRequest

    @property
    def label(self) -> Word:
        return LABEL_STATES[self.request.status]

    @property
    def error(self) -> str:
        """Why its last delivery failed."""
        return self.request.errors[-1] if self.request.errors else ""

    @property
    def earlier_errors(self) -> tuple[str, ...]:
        """Why the deliveries before failed, the latest first."""
        return self.request.errors[-2::-1]

    @property
    def may_retry(self) -> bool:
        """Whether trying again now makes a difference."""
        one = self.request
        return one.status is LabelStatus.FAILED or one.not_before is not None


def show_request(request: LabelRequest) -> ShownRequest:
    """A label request as the pages show it."""
    return ShownRequest(request)


@page
def labels(request: HttpRequest) -> HttpResponse:
    """The requests of one state, the newest first, page by page."""
    cursor = run(queries.events_end())
    counts = run(service.count_by_status())
    status = _wanted(request.GET.get("status", ""), counts)
    search = read_search(request)

    def read(limit: int, after: str) -> tuple[list[LabelRequest], str | None]:
        one = run(service.list_requests(status, limit=limit, cursor=after))
        return one.requests, one.next

    found, following = look_through(read, _told, search, request.GET.get("cursor", ""))
    kept = {"status": str(status)}
    context: dict[str, Any] = {
        "page": "labels", "topic": "labels", "cursor": cursor, "refresh": True,
        "requests": [show_request(one) for one in found], "next": following, "q": search,
        "filters": [(name, word, counts[LabelStatus(name)]) for name, word in LABEL_STATES.items()],
        "status": str(status), "status_query": query_of(**kept, q=search), "kept": kept,
        "cleared": query_of(**kept),
        "failed": counts[LabelStatus.FAILED],
        "is_first": not request.GET.get("cursor"), "clock": run(queries.clock()),
        "may_act": may_act(request.user),
    }  # fmt: skip
    return render(request, "orchard/labels.html", context)


def _told(one: LabelRequest) -> tuple[object, ...]:
    """What a request is found by."""
    return (one.request_id, f"#{one.issue}", *one.add, *one.remove, *one.errors)


def _wanted(name: str, counts: dict[LabelStatus, int]) -> LabelStatus:
    """The state that was asked for; else what was given up, if there is any, else what waits."""
    if name in LABEL_STATES:
        return LabelStatus(name)
    return LabelStatus.FAILED if counts[LabelStatus.FAILED] else LabelStatus.QUEUED


@action("label.retry", "request_id")
def retry(request: HttpRequest, request_id: str) -> Done:
    """Try a request again now."""
    after = run(service.retry(request_id))
    return Done(_("The label request is tried again."), {"issue": after.issue})


@action("label.retry_failed", ask="retry_all_labels")
def retry_failed(request: HttpRequest) -> Done:
    """Try those again that were given up."""
    tried = run(service.retry_failed())
    words = ngettext(
        "%(n)d label request is tried again.", "%(n)d label requests are tried again.", tried
    )  # fmt: skip
    return Done(words % {"n": tried}, {"tried": tried})
