"""The page of schedules: what is handed in again and again, when next, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from orchard.conf import get_conf
from orchard.domain.orders import PRIORITIES
from orchard.domain.schedules import CRON_MAX, NAME_MAX, Schedule
from orchard.services import accepting, queries, run
from orchard.services import schedules as service
from orchard.web.access import may_act, page
from orchard.web.cron_words import tell_cron
from orchard.web.spoken import language_choices, language_name
from orchard.web.words import Word

FORM = "schedule_form"
"""Where the session keeps what was typed into a form that was refused."""
_DAY = timedelta(days=1)
_STATES: dict[str, tuple[Word, str]] = {
    "active": (pgettext_lazy("schedule", "active"), "online"),
    "ailing": (pgettext_lazy("schedule", "last time failed"), "ailing"),
    "paused": (pgettext_lazy("schedule", "paused"), "paused"),
}
"""Their words, and the looks of their badges."""
_PRIORITY_NAMES: dict[int, Word] = {
    PRIORITIES["high"]: pgettext_lazy("priority", "high priority"),
    PRIORITIES["low"]: pgettext_lazy("priority", "low priority"),
}


@dataclass(frozen=True)
class ShownSchedule:
    """A schedule with what the page says of it at a moment."""

    schedule: Schedule
    at: datetime

    @property
    def times(self) -> str:
        """When, in plain words; empty where the expression says it better."""
        return tell_cron(self.schedule.cron)

    @property
    def state(self) -> str:
        if not self.schedule.is_enabled:
            return "paused"
        return "ailing" if self.schedule.last_error else "active"

    @property
    def label(self) -> Word:
        return _STATES[self.state][0]

    @property
    def look(self) -> str:
        """How its badge looks."""
        return _STATES[self.state][1]

    @property
    def next_local(self) -> str:
        """The next time as the clocks of its zone show it."""
        due = self.schedule.next_at
        return due.astimezone(self._zone).strftime("%Y-%m-%d %H:%M") if due else ""

    @property
    def days(self) -> int:
        """How many whole days that is ahead; 0 when the seconds are counted."""
        due = self.schedule.next_at
        return (due - self.at) // _DAY if due else 0

    @property
    def priority(self) -> Word:
        """How urgent it is; empty when it is as all others."""
        asked = self.schedule.order.priority
        return "" if asked == PRIORITIES["normal"] else _PRIORITY_NAMES.get(asked, str(asked))

    @property
    def language(self) -> str:
        """What is spoken; empty when that is recognized."""
        return language_name(self.schedule.language) if self.schedule.language else ""

    @property
    def _zone(self) -> tzinfo:
        try:
            return ZoneInfo(self.schedule.time_zone)
        except (ZoneInfoNotFoundError, ValueError):  # a zone that this machine does not know
            return UTC


@page
def schedules(request: HttpRequest) -> HttpResponse:
    """All schedules, those first that are due soonest, and a form for a new one."""
    cursor = run(queries.events_end())
    at = run(queries.clock())
    context: dict[str, Any] = {
        "page": "schedules", "topic": "schedules", "cursor": cursor, "refresh": True, "clock": at,
        "schedules": [ShownSchedule(one, at) for one in run(service.list_all())],
        "may_act": may_act(request.user),
    }  # fmt: skip
    if context["may_act"]:
        context |= _form(request)
    return render(request, "orchard/schedules.html", context)


def _form(request: HttpRequest) -> dict[str, Any]:
    """What the form of a new schedule needs, with what was typed before it was refused."""
    asked = request.session.pop(FORM, None)
    return {
        "asked": asked or {"time_zone": timezone.get_default_timezone_name(), "words": "true"},
        "was_refused": asked is not None, "zones": _zones(), "job_types": accepting.list_types(),
        "languages": language_choices(), "name_max": NAME_MAX, "cron_max": CRON_MAX,
        "upload_max_bytes": get_conf().upload_max_bytes,
    }  # fmt: skip


@lru_cache(maxsize=1)
def _zones() -> list[str]:
    """The zones that people choose from; others can be typed."""
    named = (one for one in available_timezones() if "/" in one)
    return ["UTC", *sorted(one for one in named if not one.startswith(("Etc/", "posix/")))]
