"""Finding lines in PostgreSQL: newest first and page by page, or those that have arrived since."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, LiteralString, TypeVar

from psycopg import Connection
from psycopg.errors import QueryCanceled, UndefinedTable
from psycopg.sql import SQL, Composed

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
from orchard.logbook.postgres import database
from orchard.logbook.postgres.connections import Place, connections_to
from orchard.logbook.postgres.database import Book
from orchard.logbook.terms import Choice, has_words, wanted

ROWS_LEAST, ROWS_MOST = 100, 5000
"""How many lines are asked for at once; more each time, as the index may find too much."""
_COLUMNS = SQL("id, seq, level, logger, message, process, worker, job, issue, fields")

# The planner does not know which terms come together, nor what is in a book that is just being
# written, and would now and then read or sort a whole book.
BEGIN = """
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL jit = off;
SET LOCAL statement_timeout = {patience}
"""
T = TypeVar("T")
_Ask = Callable[[int, int], list[tuple[Any, ...]]]
"""Rows below a place or arrival, so many at most."""


class PostgresReader:
    """Searches the log tables; what is older than their limit is not found any more."""

    def __init__(self, place: Place, limits: Limits, patience_s: float = PATIENCE_S) -> None:
        self._connections = connections_to(place)
        self._max_age_ms = limits.max_age_ms
        self._patience_s = patience_s

    def find(self, search: Search, limit: int, before: int | None = None) -> Page:
        """One page of lines, those with a place before ``before``.

        Raises:
            LogsAway: the database cannot be read, or the search took too long.
        """
        if not search.is_possible:
            return Page(lines=[])
        low, high = self._bounds(search)
        high = min(high, before if before is not None else high)

        def look(connection: Connection, stop: float) -> Page:
            found = database.books(connection)
            return searching.newest_page(
                found, limit,
                lambda book, most: _search(connection, book, search, (low, high), most, stop),
            )  # fmt: skip

        return self._ask(look)

    def arrived_after(self, search: Search, seq: int, limit: int) -> Page:
        """Lines that have arrived since there were ``seq``; the newest of them if too many.

        Raises:
            LogsAway: the database cannot be read, or the search took too long.
        """
        if not search.is_possible:
            return Page(lines=[], arrived=seq)
        bounds = self._bounds(search)

        def look(connection: Connection, stop: float) -> Page:
            found = database.books(connection)
            return searching.arrived_page(
                found, seq, limit,
                lambda book, most: _arrived(connection, book, search, bounds, seq, most, stop),
            )  # fmt: skip

        return self._ask(look)

    def describe(self) -> Description:
        """What the tables hold.

        Raises:
            LogsAway: they cannot be read.
        """

        def look(connection: Connection, stop: float) -> tuple[list[Book], int]:
            found = database.books(connection)
            return found, database.bytes_used(connection, found)

        return searching.describe("PostgreSQL", *self._ask(look))

    def _bounds(self, search: Search) -> tuple[int, int]:
        return search.places(round(time.time() * 1000) - self._max_age_ms)

    def _ask(self, look: Callable[[Connection, float], T]) -> T:
        """Look at one moment of the tables, once more when a book was dropped meanwhile."""
        try:
            return self._ask_once(look)
        except LogsAway as fault:
            if isinstance(fault.__cause__, UndefinedTable):
                return self._ask_once(look)
            if isinstance(fault.__cause__, QueryCanceled):
                raise searching.too_slow() from fault
            raise

    def _ask_once(self, look: Callable[[Connection, float], T]) -> T:
        stop = time.monotonic() + self._patience_s
        patience_ms = SQL(str(max(1, round(self._patience_s * 1000))))
        with self._connections.one() as connection:
            connection.execute(SQL(BEGIN).format(patience=patience_ms))
            seen = look(connection, stop)
            connection.execute("COMMIT")
        return seen


def statement(book: Book, search: Search, bounds: tuple[int, int]) -> tuple[Composed, list[Any]]:
    """The question to one book, newest first, without the end of its bounds and its limit."""
    choices = wanted(search.words, search.facts())
    terms, values = _terms(choices)
    checks, facts = _checks(search)
    lines = database.table(book.n)
    if not choices:
        text = SQL("SELECT {} FROM {} WHERE {} ORDER BY id DESC LIMIT %s")
        where = SQL(" AND ").join([SQL("id >= %s"), SQL("id < %s"), *checks])
        return text.format(_COLUMNS, lines, where), [*bounds, *facts]
    # OFFSET 0 keeps the two apart: else the planner might look at every line in their order
    # until enough had been found, which is forever when there are none.
    text = SQL(
        "SELECT {} FROM (SELECT * FROM {} WHERE {} OFFSET 0) AS line"
        " WHERE id >= %s AND id < %s ORDER BY id DESC LIMIT %s"
    )
    where = SQL(" AND ").join([*terms, *checks])
    return text.format(_COLUMNS, lines, where), [*values, *facts, *bounds]


def _search(
    connection: Connection, book: Book, search: Search, bounds: tuple[int, int], limit: int,
    stop: float,
) -> list[FoundLine]:  # fmt: skip
    if not searching.may_hold(book, bounds):
        return []
    low, high = bounds

    def ask(below: int, count: int) -> list[tuple[Any, ...]]:
        text, values = statement(book, search, (low, below))
        return connection.execute(text, [*values, count]).fetchall()

    return _collect(ask, high, 0, search, limit, stop)


def _arrived(
    connection: Connection, book: Book, search: Search, bounds: tuple[int, int], seq: int,
    limit: int, stop: float,
) -> list[FoundLine]:  # fmt: skip
    checks, facts = _checks(search)
    conditions = [SQL("seq > %s"), SQL("seq < %s"), SQL("id >= %s"), SQL("id < %s"), *checks]
    text = SQL("SELECT {} FROM {} WHERE {} ORDER BY seq DESC LIMIT %s").format(
        _COLUMNS, database.table(book.n), SQL(" AND ").join(conditions)
    )

    def ask(below: int, count: int) -> list[tuple[Any, ...]]:
        return connection.execute(text, [seq, below, *bounds, *facts, count]).fetchall()

    return _collect(ask, book.last_seq + 1, 1, search, limit, stop)


def _collect(
    ask: _Ask, below: int, column: int, search: Search, limit: int, stop: float
) -> list[FoundLine]:
    """The first lines whose text has all the words; ``column`` is the one that they are sorted by.

    Raises:
        SearchTooSlow: it has taken too long.
    """
    found: list[FoundLine] = []
    count = max(limit, ROWS_LEAST)
    while True:
        if time.monotonic() > stop:
            raise searching.too_slow()
        rows = ask(below, count)
        lines = (searching.line_of((row[0], *row[2:])) for row in rows)
        found += [line for line in lines if has_words(line, search.words)]
        if len(found) >= limit or len(rows) < count:
            return found[:limit]
        below, count = rows[-1][column], min(count * 4, ROWS_MOST)


def _terms(choices: Sequence[Choice]) -> tuple[list[SQL], list[Any]]:
    """What the index is asked: all of some numbers, and one each of others."""
    sure = database.numbers(choice[0] for choice in choices if len(choice) == 1)
    either = [database.numbers(choice) for choice in choices if len(choice) > 1]
    checks = [SQL("terms @> %s::integer[]")] if sure else []
    checks += [SQL("terms && %s::integer[]") for _ in either]
    return checks, [*([sure] if sure else []), *either]


def _checks(search: Search) -> tuple[list[SQL], list[Any]]:
    checks: dict[str, LiteralString] = {
        "level": "level >= %s", "process": "process = %s", "worker": "worker = %s",
        "job": "job = %s", "issue": "issue = %s",
    }  # fmt: skip
    facts = search.facts()
    return [SQL(checks[kind]) for kind, _ in facts], [value for _, value in facts]
