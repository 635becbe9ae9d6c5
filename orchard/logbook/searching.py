"""Finding lines: newest first and page by page, or those that have arrived since."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from orchard.logbook import database
from orchard.logbook.database import Book, LogsAway, line_id, time_of, transaction
from orchard.logbook.lines import FoundLine
from orchard.logbook.terms import expression, level_facts, texts_of

PATIENCE_S = 5.0
"""A search that takes longer is given up; nobody waits for it."""
_COLUMNS = "id, level, logger, message, process, worker, job, issue, fields"
_FOREVER = 2**63 - 1


class SearchTooSlow(LogsAway):
    """The search took too long; ask for a shorter time or a longer word."""


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


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Lines, newest first."""

    lines: list[FoundLine]
    next: int | None = None
    """Where the next page begins; none when this is the last."""
    arrived: int = 0
    """How many lines had ever arrived when this was answered."""


class Reader:
    """Searches a log database; what is older than ``max_age_ms`` is not found any more."""

    def __init__(self, path: Path, max_age_ms: int, patience_s: float = PATIENCE_S) -> None:
        self._path = path
        self._max_age_ms = max_age_ms
        self._patience_s = patience_s

    def find(self, search: Search, limit: int, before: int | None = None) -> Page:
        """One page of lines, those with a place before ``before``.

        Raises:
            LogsAway: the database cannot be read, or the search took too long.
        """
        low, high = self._bounds(search)
        high = min(high, before if before is not None else high)
        if not self._path.exists():
            return Page(lines=[])
        with self._open() as connection:
            found = database.books(connection)
            lines: list[FoundLine] = []
            for book in sorted(found, key=lambda one: one.last_id or 0, reverse=True):
                if len(lines) > limit and lines[limit].id > (book.last_id or 0):
                    break
                lines += _search(connection, book, search, (low, high), limit + 1)
                lines.sort(key=lambda one: one.id, reverse=True)
        more = lines[limit - 1].id if len(lines) > limit else None
        return Page(lines=lines[:limit], next=more, arrived=_arrivals(found))

    def arrived_after(self, search: Search, seq: int, limit: int) -> Page:
        """Lines that have arrived since there were ``seq``; the newest of them if too many.

        Raises:
            LogsAway: the database cannot be read, or the search took too long.
        """
        if not self._path.exists():
            return Page(lines=[])
        with self._open() as connection:
            found = database.books(connection)
            lines: list[FoundLine] = []
            for book in found:
                if book.last_seq > seq and len(lines) < limit:
                    wanted = (self._bounds(search), seq, limit - len(lines))
                    lines += _arrived(connection, book, search, *wanted)
        lines.sort(key=lambda one: one.id, reverse=True)
        return Page(lines=lines, arrived=_arrivals(found))

    def _bounds(self, search: Search) -> tuple[int, int]:
        oldest_ms = round(time.time() * 1000) - self._max_age_ms
        low = _place(max(search.since_ms, oldest_ms))
        return low, _FOREVER if search.until_ms is None else _place(search.until_ms)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one moment."""
        stop = time.monotonic() + self._patience_s
        try:
            with closing(database.open_to_read(self._path)) as connection:
                connection.set_progress_handler(lambda: time.monotonic() > stop, 20_000)
                with transaction(connection, "DEFERRED"):
                    yield connection
        except sqlite3.Error as fault:
            if time.monotonic() > stop:
                raise SearchTooSlow("The search took too long; narrow it down") from fault
            raise LogsAway(str(fault)) from fault


def statement(book: Book, search: Search, bounds: tuple[int, int]) -> tuple[str, list[Any]]:
    """The question to one book, newest first, but for its limit; and its values."""
    facts = [(kind, value) for kind, value in _exact(search) if kind != "level"]
    wanted = expression(search.words, [*facts, *level_facts(search.level)])
    checks, values = _checks(search)
    where = "".join(f" AND {check}" for check in checks)
    lines = f"lines_{book.n} AS line"
    if not wanted:
        text = f"SELECT {_COLUMNS} FROM {lines} WHERE id >= ? AND id < ?{where} ORDER BY id DESC"  # noqa: S608
        return text, [*bounds, *values]
    terms = f"terms_{book.n}"
    text = (
        f"SELECT {_COLUMNS} FROM {terms} AS term CROSS JOIN {lines} ON line.id = term.rowid"  # noqa: S608
        f" WHERE {terms} MATCH ? AND term.rowid >= ? AND term.rowid < ?{where}"
        " ORDER BY term.rowid DESC"
    )
    return text, [wanted, *bounds, *values]


def _search(
    connection: sqlite3.Connection, book: Book, search: Search, bounds: tuple[int, int], limit: int
) -> list[FoundLine]:
    if book.last_id is None or book.last_id < bounds[0] or (book.first_id or 0) >= bounds[1]:
        return []
    text, values = statement(book, search, bounds)
    return _read(connection.execute(text, values), search.words, limit)


def _arrived(
    connection: sqlite3.Connection,
    book: Book,
    search: Search,
    bounds: tuple[int, int],
    seq: int,
    limit: int,
) -> list[FoundLine]:
    checks, values = _checks(search)
    where = "".join(f" AND {check}" for check in ["id >= ?", "id < ?", *checks])
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM lines_{book.n} WHERE seq > ?{where} ORDER BY seq DESC",  # noqa: S608
        [seq, *bounds, *values],
    )
    return _read(rows, search.words, limit)


def _read(rows: sqlite3.Cursor, words: tuple[str, ...], limit: int) -> list[FoundLine]:
    """The first of these rows whose text has all the words: the index finds too much."""
    found: list[FoundLine] = []
    for row in rows:
        line = _line(row)
        if words and not _has_words(line, words):
            continue
        found.append(line)
        if len(found) == limit:
            break
    rows.close()
    return found


def _has_words(line: FoundLine, words: tuple[str, ...]) -> bool:
    text = texts_of(line)
    return all(word in text for word in words)


def _place(time_ms: int) -> int:
    """The first place of a moment, however far away it is."""
    return min(line_id(max(0, time_ms), 0), _FOREVER)


def _arrivals(found: list[Book]) -> int:
    return found[0].last_seq if found else 0


def _line(row: tuple[Any, ...]) -> FoundLine:
    place, level, logger, message, process, worker, job, issue, fields = row
    return FoundLine(
        id=place, time_ms=time_of(place), level=level, logger=logger or "", message=message,
        process=process or "", worker=worker or "", job=job or "", issue=issue,
        fields=msgspec.json.decode(fields) if fields else {},
    )  # fmt: skip


def _checks(search: Search) -> tuple[list[str], list[Any]]:
    exact = _exact(search)
    checks = [f"{kind} {'>=' if kind == 'level' else '='} ?" for kind, _ in exact]
    return checks, [value for _, value in exact]


def _exact(search: Search) -> list[tuple[str, Any]]:
    facts = {
        "level": search.level or None, "process": search.process or None,
        "worker": search.worker or None, "job": search.job or None, "issue": search.issue,
    }  # fmt: skip
    return [(kind, value) for kind, value in facts.items() if value is not None]
