"""Cron expressions in plain words, as far as they are of the kinds that people mostly write."""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from orchard.web.words import Word

DAYS: Mapping[str, Word] = {
    "0": pgettext_lazy("weekly", "Sunday"),
    "1": pgettext_lazy("weekly", "Monday"),
    "2": pgettext_lazy("weekly", "Tuesday"),
    "3": pgettext_lazy("weekly", "Wednesday"),
    "4": pgettext_lazy("weekly", "Thursday"),
    "5": pgettext_lazy("weekly", "Friday"),
    "6": pgettext_lazy("weekly", "Saturday"),
}
_NAMES = {"SUN": "0", "MON": "1", "TUE": "2", "WED": "3", "THU": "4", "FRI": "5", "SAT": "6",
          "7": "0"}  # fmt: skip
_WORKDAYS = ("1-5", "MON-FRI")
_WHEN_DAYS: Mapping[str, Word] = {
    "every": gettext_lazy("every day at %(time)s"),
    "work": gettext_lazy("Monday to Friday at %(time)s"),
    "week": gettext_lazy("every %(day)s at %(time)s"),
    "month": gettext_lazy("on day %(day)s of each month at %(time)s"),
    "last": gettext_lazy("on the last day of each month at %(time)s"),
}


def tell_cron(cron: str) -> str:
    """An expression in words; empty for one that is better read as it is written."""
    fields = cron.upper().split()
    if len(fields) != 5:
        return ""
    minute, hour, day, month, weekday = fields
    if month != "*":
        return ""
    if hour == "*":
        return _tell_hourly(minute) if (day, weekday) == ("*", "*") else ""
    if not (_is_number(minute) and _is_number(hour)):
        return ""
    return _tell_daily(f"{int(hour)}:{int(minute):02}", day, weekday)


def _tell_hourly(minute: str) -> str:
    if _is_number(minute):
        return _("every hour at minute %(minute)s") % {"minute": int(minute)}
    found = re.fullmatch(r"\*(?:/(\d{1,2}))?", minute, re.ASCII)
    step = int(found[1] or 1) if found else 0
    if not step or 60 % step:
        return ""
    return ngettext("every minute", "every %(n)d minutes", step) % {"n": step}


def _tell_daily(time: str, day: str, weekday: str) -> str:
    weekday = _NAMES.get(weekday, weekday)
    if day == "*" and weekday == "*":
        return str(_WHEN_DAYS["every"]) % {"time": time}
    if day == "*" and weekday in _WORKDAYS:
        return str(_WHEN_DAYS["work"]) % {"time": time}
    if day == "*" and weekday in DAYS:
        return str(_WHEN_DAYS["week"]) % {"day": DAYS[weekday], "time": time}
    if weekday == "*" and day == "L":
        return str(_WHEN_DAYS["last"]) % {"time": time}
    if weekday == "*" and _is_number(day):
        return str(_WHEN_DAYS["month"]) % {"day": int(day), "time": time}
    return ""


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
