"""Finding lines: newest first and page by page, or those that have arrived since."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from orchard.logbook import searching
from orchard.logbook.contract import (
    PATIENCE_S,
    Description,
    Limits,
    LogsAway,
    Page,
    Search,
)
from orchard.logbook.lines import FoundLine
from orchard.logbook.sqlite import database
from orchard.logbook.sqlite.database import Book, transaction
from orchard.logbook.terms import expression, has_words

_COLUMNS = "id, level, logger, message, process, worker, job, issue, fields"


class SqliteReader:
    """Searches a log database; what is older than its limit is not found any more."""

    def __init__(self, path: Path, limits: Limits, patience_s: float = PATIENCE_S) -> None:
        self._path = path
        self._max_age_ms = limits.max_age_ms
        self._patience_s = patience_s

    def find(self, search: Search, limit: int, before: int | None = None) -> Page:
        """One page of lines, those with a place before ``before``.

        Raises:
            LogsAway: the database cannot be read, or the search took too long.
        """
        low, high = self._bounds(search)
        high = min(high, before if before is not None else high)
        if not self._path.exists() or not search.is_possible:
            return Page(lines=[])
        with self._open() as connection:
            return searching.newest_page(
                database.books(connection), limit,
                lambda book, most: _search(connection, book, search, (low, high), most),
            )  # fmt: skip

    def arrived_after(self, search: Search, seq: int, limit: int) -> Page:
        """Lines that have arrived since there were ``seq``; the newest of them if too many.

        Raises:
            LogsAway: the database cannot be read, or the search took too long.
        """
        if not self._path.exists():
            return Page(lines=[])
        if not search.is_possible:
            return Page(lines=[], arrived=seq)
        bounds = self._bounds(search)
        with self._open() as connection:
            return searching.arrived_page(
                database.books(connection), seq, limit,
                lambda book, most: _arrived(connection, book, search, bounds, seq, most),
            )  # fmt: skip

    def describe(self) -> Description:
        """What the file holds.

        Raises:
            LogsAway: it cannot be read.
        """
        if not self._path.exists():
            return Description(kind="SQLite")
        with self._open() as connection:
            return searching.describe(
                "SQLite", database.books(connection), database.bytes_used(connection)
            )

    def _bounds(self, search: Search) -> tuple[int, int]:
        return search.places(round(time.time() * 1000) - self._max_age_ms)

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
                raise searching.too_slow() from fault
            raise LogsAway(str(fault)) from fault


def statement(book: Book, search: Search, bounds: tuple[int, int]) -> tuple[str, list[Any]]:
    """The question to one book, newest first, but for its limit; and its values."""
    asked = expression(search.words, search.facts())
    checks, values = _checks(search)
    where = "".join(f" AND {check}" for check in checks)
    lines = f"lines_{book.n} AS line"
    if not asked:
        text = f"SELECT {_COLUMNS} FROM {lines} WHERE id >= ? AND id < ?{where} ORDER BY id DESC"  # noqa: S608
        return text, [*bounds, *values]
    terms = f"terms_{book.n}"
    text = (
        f"SELECT {_COLUMNS} FROM {terms} AS term CROSS JOIN {lines} ON line.id = term.rowid"  # noqa: S608
        f" WHERE {terms} MATCH ? AND term.rowid >= ? AND term.rowid < ?{where}"
        " ORDER BY term.rowid DESC"
    )
    return text, [asked, *bounds, *values]


def _search(
    connection: sqlite3.Connection, book: Book, search: Search, bounds: tuple[int, int], limit: int
) -> list[FoundLine]:
    if not searching.may_hold(book, bounds):
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
        line = searching.line_of(row)
        if words and not has_words(line, words):
            continue
        found.append(line)
        if len(found) == limit:
            break
    rows.close()
    return found


def _checks(search: Search) -> tuple[list[str], list[Any]]:
    exact = search.facts()
    checks = [f"{kind} {'>=' if kind == 'level' else '='} ?" for kind, _ in exact]
    return checks, [value for _, value in exact]
