"""Writing lines into PostgreSQL: in batches, each of them whole or not at all."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence

from psycopg import Connection
from psycopg.errors import LockNotAvailable
from psycopg.sql import SQL

from orchard.logbook.contract import BOOKS, Limits, line_id
from orchard.logbook.lines import Line
from orchard.logbook.postgres import database
from orchard.logbook.postgres.connections import Place, connections_to
from orchard.logbook.postgres.database import Book
from orchard.logbook.storing import (
    Columns,
    cleaned,
    columns_of,
    fields_of,
    now_or,
    places_after,
)
from orchard.logbook.terms import terms_of

log = logging.getLogger("orchard.logbook")

LINES_MAX = 50_000
"""A book of so many lines is long enough: a search may have to look at all of one book's."""
BOOKS_MAX = 256
"""But for them there are no more books than these."""
DROP_WAIT = "2s"
"""How long dropping a book waits for those who search in it, while others wait in turn."""

Row = tuple[Line, str | None, str]
"""A line with its fields as JSON and the numbers of its terms, as PostgreSQL writes arrays."""


class PostgresWriter:
    """Puts lines into the log tables; any number of threads and processes may do so at once."""

    def __init__(self, place: Place, limits: Limits | None = None) -> None:
        self._connections = connections_to(place)
        self._limits = limits or Limits()

    def write(self, lines: Iterable[Line], now_ms: int | None = None) -> int:
        """Keep these lines, cleaned; answers how many.

        Raises:
            LogsAway: they cannot be written; none of them was.
        """
        now_ms = now_or(now_ms)
        made = cleaned(lines, now_ms)
        if not made:
            return 0
        rows = [_row(line) for line in made]  # nobody else waits for this part
        with self._connections.one() as connection:
            over = self._write(connection, rows, now_ms)
            if over is not None:
                self._tidy(connection, over, now_ms)
        return len(made)

    def forget(self, now_ms: int | None = None) -> int:
        """Drop the books that are too old or too much, never the newest; answers how many.

        Raises:
            LogsAway: the database cannot be changed now.
        """
        with self._connections.one() as connection:
            return self._drop_old(connection, now_or(now_ms))

    def close(self) -> None:
        """Close this process's connections."""
        self._connections.close()

    def _write(self, connection: Connection, rows: Sequence[Row], now_ms: int) -> Book | None:
        """Write rows; answers the book that was closed for it."""
        with connection.transaction():
            connection.execute("SET LOCAL synchronous_commit = off")
            last_seq = database.take_turn(connection)
            newest = next(iter(database.books(connection)), None)
            is_over = newest is not None and self._is_full(connection, newest, now_ms)
            if newest is None or is_over:
                book = database.add_book(connection, now_ms, newest, last_seq)
            else:
                book = newest
            _insert(connection, book, rows, last_seq)
        return newest if is_over else None

    def _is_full(self, connection: Connection, book: Book, now_ms: int) -> bool:
        size = database.bytes_used(connection, [book])
        is_long = book.lines >= LINES_MAX and size >= self._limits.max_bytes / BOOKS_MAX
        has_size = size >= self._limits.max_bytes / BOOKS
        return is_long or has_size or now_ms - book.opened_ms >= self._limits.max_age_ms / BOOKS

    def _tidy(self, connection: Connection, closed: Book, now_ms: int) -> None:
        """Put the index of a closed book in order, and forget the oldest ones."""
        database.settle(connection, closed)
        if self._drop_old(connection, now_ms):
            log.info("the oldest log lines were forgotten")

    def _drop_old(self, connection: Connection, now_ms: int) -> int:
        oldest_id, count = line_id(now_ms - self._limits.max_age_ms, 0), 0
        try:
            while self._drop_one(connection, oldest_id):
                count += 1
        except LockNotAvailable:
            log.info("the oldest log lines are being read; they will be forgotten later")
        return count

    def _drop_one(self, connection: Connection, oldest_id: int) -> bool:
        with connection.transaction():
            connection.execute(SQL("SET LOCAL lock_timeout = {}").format(DROP_WAIT))
            database.take_turn(connection)
            found = database.books(connection)
            if len(found) < 2:
                return False
            is_too_old = (found[-1].last_id or 0) < oldest_id
            if not is_too_old and database.bytes_used(connection, found) <= self._limits.max_bytes:
                return False
            database.drop_book(connection, found[-1])
        return True


def _insert(connection: Connection, book: Book, rows: Sequence[Row], last_seq: int) -> None:
    seqs, places = places_after(last_seq, [row[0] for row in rows])
    copy = SQL("COPY {} FROM STDIN").format(database.table(book.n))
    with connection.cursor() as cursor, cursor.copy(copy) as target:
        for values in _values(rows, seqs, places):
            target.write_row(values)
    connection.execute(
        "UPDATE orchard_log_books SET first_id = least(first_id, %s), last_id ="
        " greatest(last_id, %s), last_seq = %s, lines = lines + %s WHERE n = %s",
        (min(places), max(places), seqs[-1], len(rows), book.n),
    )
    connection.execute("UPDATE orchard_log_state SET last_seq = %s", (seqs[-1],))


def _row(line: Line) -> Row:
    terms = database.numbers(terms_of(line))
    return line, fields_of(line), "{" + ",".join(map(str, terms)) + "}"


def _values(rows: Sequence[Row], seqs: Iterable[int], places: Sequence[int]) -> Iterator[Columns]:
    for (line, fields, terms), seq, place in zip(rows, seqs, places, strict=True):
        yield *columns_of(line, seq, place, fields), terms
