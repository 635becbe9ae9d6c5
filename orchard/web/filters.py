"""What a page was asked for, as it stands in its address: texts, numbers and moments."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

TEXT_MAX = 200
PLACE_MAX = 2**63


class WrongFilter(ValueError):
    """A filter cannot be understood; says which, for people."""


@dataclass(frozen=True)
class Filters:
    """What was asked for; each as text, empty for all."""

    @classmethod
    def read(cls, given: QueryDict) -> Self:
        """The filters of an address."""
        texts = {one.name: given.get(one.name, "") for one in fields(cls)}
        return cls(
            **{name: text.replace("\0", "").strip()[:TEXT_MAX] for name, text in texts.items()}
        )

    def query(self, **changes: Any) -> str:
        """These filters as the query of an address; ``changes`` replace some."""
        wanted = {one.name: getattr(self, one.name) for one in fields(self)} | changes
        return "?" + urlencode({name: value for name, value in wanted.items() if value})


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


def shown_moment(text: str) -> str:
    """A moment as its field in a form wants it: in UTC; the browser tells the viewer's time."""
    try:
        at = moment_of(text)
    except WrongFilter:
        return ""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") if at else ""
