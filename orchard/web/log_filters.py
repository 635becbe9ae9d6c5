"""What the page on logs was asked for: its filters, as they stand in the address."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext as _

from orchard.logbook.contract import Search
from orchard.logbook.lines import LEVELS
from orchard.logbook.terms import parse_words
from orchard.web.filters import Filters, WrongFilter, moment_of

ISSUE_MAX = 2**53


@dataclass(frozen=True)
class LogFilters(Filters):
    """What was asked for; each as text, empty for all."""

    q: str = ""
    level: str = ""
    process: str = ""
    worker: str = ""
    job: str = ""
    issue: str = ""
    since: str = ""
    until: str = ""

    @property
    def has_more(self) -> bool:
        """Whether more than words and a level is asked for."""
        names = {one.name for one in fields(self)} - {"q", "level"}
        return any(getattr(self, name) for name in names)

    def search(self) -> Search:
        """The same as the logbook is asked.

        Raises:
            WrongFilter: one of them cannot be understood.
        """
        return Search(
            words=parse_words(self.q), level=_level(self.level), process=self.process,
            worker=self.worker, job=self.job, issue=_issue(self.issue),
            since_ms=_ms(self.since) or 0, until_ms=_ms(self.until),
        )  # fmt: skip


def _level(name: str) -> int:
    if name and name not in LEVELS:
        raise WrongFilter(_("“%(text)s” is no level.") % {"text": name})
    return LEVELS.get(name, 0)


def _issue(text: str) -> int | None:
    text = text.removeprefix("#")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 17 and int(text) <= ISSUE_MAX):
        raise WrongFilter(_("“%(text)s” is no number of an issue.") % {"text": text})
    return int(text)


def _ms(text: str) -> int | None:
    at = moment_of(text)
    if at is None:
        return None
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
