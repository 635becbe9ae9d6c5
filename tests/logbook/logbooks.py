"""What tests of the logbook share: lines, and a database of the test's own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from orchard.logbook.lines import Line
from orchard.logbook.searching import Reader, Search
from orchard.logbook.terms import parse_words
from orchard.logbook.writing import Limits, Writer


def now_ms() -> int:
    return round(time.time() * 1000)


def line(message: str, **facts: Any) -> Line:
    """A line of now."""
    return Line(**{"time_ms": now_ms(), "message": message} | facts)


class Logbook:
    """A log database to write into and to search."""

    def __init__(self, path: Path, limits: Limits | None = None) -> None:
        self.path = path
        self.limits = limits or Limits()
        self.writer = Writer(path, self.limits)

    @property
    def reader(self) -> Reader:
        return Reader(self.path, self.limits.max_age_ms)

    def say(self, *messages: str, **facts: Any) -> None:
        """Write lines one millisecond apart, the last of them now."""
        start = facts.pop("time_ms", now_ms() - len(messages))
        self.writer.write(line(one, time_ms=start + i, **facts) for i, one in enumerate(messages))

    def find(self, text: str = "", limit: int = 100, **facts: Any) -> list[str]:
        """The messages found, newest first."""
        page = self.reader.find(Search(words=parse_words(text), **facts), limit)
        return [one.message for one in page.lines]
