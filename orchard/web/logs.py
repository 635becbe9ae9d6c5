"""The page on logs: what all processes say, searched and followed. It needs no state engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from orchard.logbook.contract import LogsAway, Page, SearchTooSlow
from orchard.logbook.lines import FoundLine, level_name
from orchard.logbook.site import get_reader
from orchard.web.access import page
from orchard.web.filters import WrongFilter, read_number, shown_moment
from orchard.web.log_filters import LogFilters
from orchard.web.words import Word

PAGE = 100
NEW_MOST = 200
"""Most new lines that one look brings."""
PROCESSES = ("web", "pipeline", "ambassador", "dispatch", "agent")

LEVEL_WORDS: Mapping[str, Word] = {
    "debug": pgettext_lazy("log level", "debug"),
    "info": pgettext_lazy("log level", "info"),
    "warning": pgettext_lazy("log level", "warning"),
    "error": pgettext_lazy("log level", "error"),
    "critical": pgettext_lazy("log level", "critical"),
}
_QUIET_FIELDS = ("pid", "host")


class ShownLine:
    """A line with its links."""

    def __init__(self, line: FoundLine, filters: LogFilters) -> None:
        self.line = line
        self.level = level_name(line.level)
        self.label = LEVEL_WORDS[self.level]
        self._filters = filters

    @property
    def process_query(self) -> str:
        """This process's lines alone, or all again."""
        return self._toggled("process", self.line.process)

    @property
    def worker_query(self) -> str:
        """This worker's lines alone, or all again."""
        return self._toggled("worker", self.line.worker)

    @property
    def around_query(self) -> str:
        """All lines up to a moment after this one, whatever they say."""
        return LogFilters(until=_iso(self.line.time_ms + 2000)).query()

    @property
    def job_url(self) -> str:
        return _url("job-page", self.line.job) if self.line.job else ""

    @property
    def worker_url(self) -> str:
        """Its own page, or the one of all workers."""
        return _url("worker-page", self.line.worker) or _url("workers-page")

    @property
    def issue_url(self) -> str:
        return _url("issue-page", self.line.issue) if self.line.issue is not None else ""

    @property
    def traceback(self) -> str:
        return str(self.line.fields.get("traceback", ""))

    @property
    def details(self) -> str:
        """The other fields, as JSON for people."""
        fields = {name: value for name, value in self.line.fields.items() if name != "traceback"}
        return json.dumps(fields, ensure_ascii=False, indent=2) if fields else ""

    @property
    def is_rich(self) -> bool:
        """Whether its fields say more than which process it was."""
        return any(name not in _QUIET_FIELDS for name in self.line.fields)

    def _toggled(self, name: str, value: str) -> str:
        is_chosen = getattr(self._filters, name) == value
        return self._filters.query(**{name: "" if is_chosen else value})


@page
def logs(request: HttpRequest) -> HttpResponse:
    """The newest lines that match the filters, or older ones (``?cursor=``)."""
    filters, before = LogFilters.read(request.GET), read_number(request.GET, "cursor")
    found, problem = _find(filters, before)
    context: dict[str, Any] = {
        "page": "logs", "filters": filters, "problem": problem, "levels": LEVEL_WORDS.items(),
        "processes": PROCESSES, "is_first": before is None,
        "lines": [ShownLine(line, filters) for line in found.lines], "arrived": found.arrived,
        "older": f"{filters.query(cursor=found.next)}" if found.next is not None else "",
        "export": f"{reverse('api:logs')}{filters.query(format='ndjson')}",
        "since": shown_moment(filters.since), "until": shown_moment(filters.until),
        "may_follow": before is None and not filters.until and not problem,
    }  # fmt: skip
    return render(request, "orchard/logs.html", context)


@page
def new_lines(request: HttpRequest) -> HttpResponse:
    """The lines that have arrived since there were ``?after=``."""
    filters, after = LogFilters.read(request.GET), read_number(request.GET, "after") or 0
    try:
        found = get_reader().arrived_after(filters.search(), after, NEW_MOST)
    except (LogsAway, WrongFilter):
        return HttpResponse(status=503, headers={"Retry-After": "2"})
    context = {
        "lines": [ShownLine(line, filters) for line in found.lines], "filters": filters,
        "arrived": found.arrived,
    }  # fmt: skip
    return render(request, "orchard/parts/log_new.html", context)


def _find(filters: LogFilters, before: int | None) -> tuple[Page, str]:
    try:
        return get_reader().find(filters.search(), PAGE, before), ""
    except WrongFilter as fault:
        return Page(lines=[]), str(fault)
    except SearchTooSlow:
        return Page(lines=[]), _("The search took too long. Ask for a longer word or less time.")
    except LogsAway:
        return Page(lines=[]), _("The log database cannot be read right now. Try again.")


def _iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")


def _url(name: str, *args: object) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:  # such as an id that no job has
        return ""
