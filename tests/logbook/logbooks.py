"""What tests of the logbook share: lines, and a database of the test's own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import dj_database_url

from orchard.logbook.contract import Limits, LogReader, Search
from orchard.logbook.lines import Line
from orchard.logbook.places import Place, open_reader, open_writer, place_of_logs
from orchard.logbook.terms import parse_words


def now_ms() -> int:
    return round(time.time() * 1000)


def line(message: str, **facts: Any) -> Line:
    """A line of now."""
    return Line(**{"time_ms": now_ms(), "message": message} | facts)


class Logbook:
    """A log database to write into and to search."""

    def __init__(self, place: Place, limits: Limits | None = None) -> None:
        self.place = place
        self.limits = limits or Limits()
        self.writer = open_writer(place, self.limits)

    @property
    def reader(self) -> LogReader:
        return open_reader(self.place, self.limits)

    def say(self, *messages: str, **facts: Any) -> None:
        """Write lines one millisecond apart, the last of them now."""
        start = facts.pop("time_ms", now_ms() - len(messages))
        self.writer.write(line(one, time_ms=start + i, **facts) for i, one in enumerate(messages))

    def find(self, text: str = "", limit: int = 100, **facts: Any) -> list[str]:
        """The messages found, newest first."""
        page = self.reader.find(Search(words=parse_words(text), **facts), limit)
        return [one.message for one in page.lines]


def place_of_url(url: str) -> dict[str, Any]:
    """Where log lines go when this is the site's database."""
    place = place_of_logs(dj_database_url.parse(url), Path())
    assert isinstance(place, dict)
    return place
