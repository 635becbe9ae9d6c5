"""What every log database does, whatever it is made of: the questions, the answers, the faults.

There are two: a file of SQLite's, and tables of PostgreSQL's. Both keep lines in
books of some hours or days, so that forgetting the oldest is dropping a book, and
both are held to the same tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

import msgspec

from orchard.logbook.lines import FoundLine, Line

PATIENCE_S = 5.0
"""A search that takes longer is given up; nobody waits for it."""
BOOKS = 16
"""In about so many books is what is kept; one of them is forgotten at a time."""
DAY_MS = 86_400_000
SEQ_BITS = 20
"""A line's place is its time in milliseconds, then so many bits of its number of arrival."""
FOREVER = 2**63 - 1
"""A place after that of every line."""

_IMPOSSIBLE = re.compile("[\0\ud800-\udfff]")


class LogsAway(Exception):
    """The log database cannot be used right now."""


class SearchTooSlow(LogsAway):
    """The search took too long; ask for a shorter time or a longer word."""


class Limits(msgspec.Struct, frozen=True):
    """What is kept."""

    max_age_days: float = 30.0
    max_bytes: int = 500_000_000

    @property
    def max_age_ms(self) -> int:
        """The age at which lines are forgotten, in milliseconds."""
        return round(self.max_age_days * DAY_MS)


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for; all of it must be true of a line."""

    words: tuple[str, ...] = ()
    """As :func:`orchard.logbook.terms.parse_words` makes them."""
    level: int = 0
    """Lines at least this grave."""
    process: str = ""
    worker: str = ""
    job: str = ""
    issue: int | None = None
    since_ms: int = 0
    until_ms: int | None = None
    """Lines before this moment."""

    def facts(self) -> list[tuple[str, str | int]]:
        """What must be true of a line besides its words and its time."""
        facts = {
            "level": self.level or None, "process": self.process or None,
            "worker": self.worker or None, "job": self.job or None, "issue": self.issue,
        }  # fmt: skip
        return [(kind, value) for kind, value in facts.items() if value is not None]

    @property
    def is_possible(self) -> bool:
        """Whether a line could have these facts: what no database can hold is in none."""
        names = (value for _, value in self.facts() if isinstance(value, str))
        return not any(_IMPOSSIBLE.search(name) for name in names)

    def places(self, oldest_ms: int) -> tuple[int, int]:
        """The first place that is looked for, and the first after all of them."""
        low = place_of(max(self.since_ms, oldest_ms))
        return low, FOREVER if self.until_ms is None else place_of(self.until_ms)


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Lines, newest first."""

    lines: list[FoundLine]
    next: int | None = None
    """Where the next page begins; none when this is the last."""
    arrived: int = 0
    """How many lines had ever arrived when this was answered."""


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What a log database is and holds."""

    kind: str
    """``SQLite`` or ``PostgreSQL``."""
    books: int = 0
    bytes: int = 0
    """What it takes on the disk, with its index."""
    oldest_ms: int | None = None
    newest_ms: int | None = None


class LogWriter(Protocol):
    """Puts lines into a log database; any number of threads and processes may do so at once."""

    def write(self, lines: Iterable[Line], now_ms: int | None = None) -> int:
        """Keep these lines, cleaned, all of them or none; answers how many.

        Raises:
            LogsAway: they cannot be written; none of them was.
        """
        ...

    def forget(self, now_ms: int | None = None) -> int:
        """Drop the books that are too old or too much, never the newest; answers how many.

        Raises:
            LogsAway: the database cannot be changed now.
        """
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...


class LogReader(Protocol):
    """Searches a log database; what is older than its limit is not found any more."""

    def find(self, search: Search, limit: int, before: int | None = None) -> Page:
        """One page of lines, those with a place before ``before``.

        Raises:
            LogsAway: the database cannot be read.
            SearchTooSlow: the search took too long.
        """
        ...

    def arrived_after(self, search: Search, seq: int, limit: int) -> Page:
        """Lines that have arrived since there were ``seq``; the newest of them if too many.

        Raises:
            LogsAway: the database cannot be read.
            SearchTooSlow: the search took too long.
        """
        ...

    def describe(self) -> Description:
        """What the database is and holds.

        Raises:
            LogsAway: the database cannot be read.
        """
        ...


def line_id(time_ms: int, seq: int) -> int:
    """The place of a line; no two lines of one millisecond share it."""
    return time_ms << SEQ_BITS | seq & (1 << SEQ_BITS) - 1


def place_of(time_ms: int) -> int:
    """The first place of a moment, however far away it is."""
    return min(line_id(max(0, time_ms), 0), FOREVER)


def time_of(place: int) -> int:
    """The time of a line's place, in milliseconds."""
    return place >> SEQ_BITS
