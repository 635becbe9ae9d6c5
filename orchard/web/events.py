"""The events page: what has happened, the newest first, as sentences that can be filtered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString

from orchard.services import queries
from orchard.services import run as run_job
from orchard.web import sentences
from orchard.web.access import page
from statecore.domain.errors import InvalidInput
from statecore.services import chronicle, run
from statecore.services.chronicle import Chronicle, Happening, Wanted

PAGE = 60


@dataclass(frozen=True)
class Row:
    """One event as it is shown."""

    cursor: str
    event: dict[str, Any]

    @property
    def kind(self) -> str:
        """The first part of its name, when it is one of those known."""
        kind = str(self.event.get("name", "")).partition(".")[0]
        return kind if kind in sentences.KINDS else ""

    @property
    def icon(self) -> str:
        return sentences.ICONS.get(self.kind, self.kind)

    @property
    def sentence(self) -> SafeString:
        return sentences.tell(self.event)

    @property
    def is_bad(self) -> bool:
        """Whether it tells of something that went wrong."""
        name = str(self.event.get("name", ""))
        failed = name.endswith((".failed", ".orphaned", ".requeued", ".skipped"))
        return failed or self.event.get("status") in ("failed", "error")

    @property
    def at(self) -> datetime | None:
        try:
            return datetime.fromisoformat(str(self.event.get("at")))
        except ValueError:
            return None

    @property
    def raw(self) -> str:
        return json.dumps(self.event, ensure_ascii=False, indent=2)


@page
def events(request: HttpRequest) -> HttpResponse:
    """The latest events (``?kind=`` and ``?id=`` filter them), or older ones (``?before=``)."""
    kind, wanted_id, before = _asked(request)
    cursor = run_job(queries.events_end())
    kept = _query(kind, wanted_id)
    context: dict[str, Any] = {
        "page": "events", "topic": "events", "cursor": cursor, "kind": kind, "wanted_id": wanted_id,
        "before": before,
        "kinds": [
            (name, word, sentences.ICONS.get(name, name), _query(name, wanted_id))
            for name, word in sentences.KINDS.items()
        ],
        "all_query": _query("", wanted_id), "kept": kept,
    }  # fmt: skip
    found = _latest(kind, wanted_id, before)
    context |= {"rows": _rows(found.happenings), "rested": found.rested}
    if found.older:
        context["older_query"] = _query(kind, wanted_id, before=found.older)
    return render(request, "orchard/events.html", context)


@page
def new_events(request: HttpRequest) -> HttpResponse:
    """The rows of the events after a cursor (``?after=``); 410 when some are no longer known."""
    kind, wanted_id, _ = _asked(request)
    after = request.GET.get("after", "")
    try:
        found, cursor = run(chronicle.since(_wanted(kind, wanted_id), after))
    except InvalidInput:
        return HttpResponse(status=410)
    context = {"rows": _rows(found.happenings), "cursor": cursor}
    return render(request, "orchard/parts/new_events.html", context)


def _asked(request: HttpRequest) -> tuple[str, str, str]:
    kind = request.GET.get("kind", "")
    wanted_id = request.GET.get("id", "").strip()[:1000]
    return kind if kind in sentences.KINDS else "", wanted_id, request.GET.get("before", "")


def _latest(kind: str, wanted_id: str, before: str) -> Chronicle:
    """The page before a cursor; the newest one when it is no cursor."""
    wanted = _wanted(kind, wanted_id)
    try:
        return run(chronicle.latest(wanted, limit=PAGE, before=before))
    except InvalidInput:
        return run(chronicle.latest(wanted, limit=PAGE))


def _wanted(kind: str, wanted_id: str) -> Wanted:
    begin = f'{{"name":"{kind}.'.encode() if kind else b""

    def is_wanted(raw: bytes) -> bool:
        if not raw.startswith(begin):
            return False
        return not wanted_id or sentences.is_about(sentences.read_event(raw), wanted_id)

    return is_wanted


def _rows(happenings: list[Happening]) -> list[Row]:
    return [Row(one.cursor, sentences.read_event(one.raw)) for one in happenings]


def _query(kind: str, wanted_id: str, **more: str) -> str:
    asked = {"kind": kind, "id": wanted_id, **more}
    return "?" + urlencode({name: value for name, value in asked.items() if value})
