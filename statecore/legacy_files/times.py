"""Times as older programs have written them."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

FIRST_YEAR, LAST_YEAR = 2000, 2199
"""Years between which a number can be a time: seconds and milliseconds are told apart by it."""

_JS = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2} \d{1,2} \d{4} \d\d:\d\d:\d\d) GMT([+-]\d{4}).*")
_JAPANESE = re.compile(
    r"(\d{4})[年/-](\d{1,2})[月/-](\d{1,2})日?(?:[ T]+(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?)?"
)


def parse_time(value: Any) -> datetime | None:
    """The moment that a value names, or ``None``; without a zone when it names none.

    Understood are ISO 8601 in all its forms, seconds and milliseconds since 1970 as
    number or text, and dates of JavaScript, of mails and with slashes.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value).strip()
    for read in _FORMS:
        with suppress(ValueError, OverflowError, OSError, TypeError, IndexError):
            if (found := _sane(read(text))) is not None:
                return found
    return None


def _sane(at: datetime | None) -> datetime | None:
    return at if at is not None and FIRST_YEAR <= at.year <= LAST_YEAR else None


def _since_1970(text: str) -> datetime | None:
    number = float(text)
    in_seconds = _sane(_from_seconds(number)) if number < 1e10 else None
    return in_seconds or _from_seconds(number / 1000)


def _from_seconds(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _javascript(text: str) -> datetime | None:
    match = _JS.fullmatch(text)
    return datetime.strptime(f"{match[1]} {match[2]}", "%b %d %Y %H:%M:%S %z") if match else None


def _with_slashes(text: str) -> datetime | None:
    match = _JAPANESE.fullmatch(text)
    return datetime(*(int(part or 0) for part in match.groups())) if match else None  # type: ignore[arg-type]  # six numbers


_FORMS: tuple[Callable[[str], datetime | None], ...] = (
    _since_1970, datetime.fromisoformat, _javascript, _with_slashes, parsedate_to_datetime,
)  # fmt: skip
