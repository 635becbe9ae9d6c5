"""What the page on logs was asked for: its filters, as they stand in the address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from orchard.logbook.contract import Search
from orchard.logbook.lines import LEVELS
from orchard.logbook.terms import parse_words

TEXTS = ("q", "process", "worker", "job")
TEXT_MAX = 200
NAMES = ("q", "level", "process", "worker", "job", "issue", "since", "until")
ISSUE_MAX = 2**53
PLACE_MAX = 2**63


class WrongFilter(ValueError):
    """A filter cannot be understood; says which, for people."""


@dataclass(frozen=True)
class Filters:
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
        return any(getattr(self, name) for name in NAMES if name not in ("q", "level"))

    def query(self, **changes: Any) -> str:
        """These filters as the query of an address; ``changes`` replace some."""
        wanted = {name: getattr(self, name) for name in NAMES} | changes
        return "?" + urlencode({name: value for name, value in wanted.items() if value})

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


def read_filters(given: QueryDict) -> Filters:
    """The filters of an address."""
    return Filters(
        **{name: given.get(name, "").replace("\0", "").strip()[:TEXT_MAX] for name in NAMES}
    )


def read_number(given: QueryDict, name: str) -> int | None:
    """A place or a count in an address; none when it makes no sense."""
    text = given.get(name, "")
    is_number = text.isascii() and text.isdigit() and len(text) < 20
    return int(text) if is_number and int(text) < PLACE_MAX else None


def moment_of(text: str) -> datetime | None:
    """A moment; without a zone it is in UTC.

    Raises:
        WrongFilter: it is none.
    """
    if not text:
        return None
    try:
        at = parse_datetime(text)
    except ValueError:  # such as the 31st of June
        at = None
    if at is None:
        raise WrongFilter(_("“%(text)s” is no time.") % {"text": text})
    return at if timezone.is_aware(at) else at.replace(tzinfo=UTC)


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
