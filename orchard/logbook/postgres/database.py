"""The log tables in a PostgreSQL database: books of lines, each a table with an index of its terms.

The index is GIN over numbers: each term of a line (:mod:`orchard.logbook.terms`) is
one. Terms that share a number find too much, never too little. The one row of
``orchard_log_state`` is the turn of the writers: numbers of arrival are in the order
in which lines become visible, so that whoever follows misses none.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from zlib import crc32

from psycopg import Connection
from psycopg.errors import UndefinedTable
from psycopg.sql import SQL, Composed, Identifier

from orchard.logbook.contract import LogsAway

VERSION = 1
PREFIX = "orchard_log"
PENDING_KB = 512
"""How much of an index may be unsorted; every search reads all of that."""

_MAKE_LOCK = 0x6F72636861726400
_SCHEMA = """
CREATE TABLE IF NOT EXISTS orchard_log_state (
    one boolean PRIMARY KEY DEFAULT true CHECK (one), version integer NOT NULL,
    last_seq bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS orchard_log_books (
    n integer PRIMARY KEY, opened_ms bigint NOT NULL, first_id bigint, last_id bigint,
    last_seq bigint NOT NULL, lines bigint NOT NULL DEFAULT 0
);
"""
_BOOK = """
CREATE TABLE {lines} (
    id bigint NOT NULL, seq bigint NOT NULL, level smallint NOT NULL, logger text,
    message text NOT NULL, process text, worker text, job text, issue bigint, fields text,
    terms integer[] NOT NULL
);
CREATE INDEX {places} ON {lines} (id);
CREATE INDEX {arrival} ON {lines} (seq);
CREATE INDEX {terms} ON {lines} USING gin (terms)
    WITH (fastupdate = on, gin_pending_list_limit = {pending});
"""


class Book(NamedTuple):
    """Some lines in the order of their time; books may overlap a little."""

    n: int
    opened_ms: int
    first_id: int | None
    last_id: int | None
    last_seq: int
    lines: int


def table(n: int, of: str = "lines") -> Identifier:
    """The name of a book's table, or of one of its indexes."""
    return Identifier(f"{PREFIX}_{of}_{n}")


def number(term: str) -> int:
    """The number under which the index knows a term."""
    found = crc32(term.encode("utf-8", "surrogatepass"))
    return found - 2**32 if found >= 2**31 else found


def numbers(terms: Iterable[str]) -> list[int]:
    """The numbers of terms, each once."""
    return sorted({number(term) for term in terms})


def take_turn(connection: Connection) -> int:
    """Wait until no other writer is at work, in this transaction; answers the last arrival.

    Raises:
        LogsAway: the tables are those of a newer version.
        psycopg.Error: the database cannot be used.
    """
    asked = "SELECT version, last_seq FROM orchard_log_state FOR UPDATE"
    try:
        with connection.transaction():
            row = connection.execute(asked).fetchone()
    except UndefinedTable:
        row = None
    if row is None:
        _make(connection)
        row = connection.execute(asked).fetchone() or (VERSION, 0)
    _check_version(row[0])
    return int(row[1])


def books(connection: Connection) -> list[Book]:
    """All books, the newest first; none when no line was ever written.

    Raises:
        LogsAway: the tables are those of a newer version.
        psycopg.Error: the database cannot be used.
    """
    try:
        with connection.transaction():
            version = connection.execute("SELECT version FROM orchard_log_state").fetchone()
            found = connection.execute(
                "SELECT n, opened_ms, first_id, last_id, last_seq, lines"
                " FROM orchard_log_books ORDER BY n DESC"
            ).fetchall()
    except UndefinedTable:
        return []
    _check_version(version[0] if version else VERSION)
    return [Book(*row) for row in found]


def add_book(connection: Connection, now_ms: int, before: Book | None, last_seq: int) -> Book:
    """Begin a new book, whose lines are counted on from those before."""
    book = Book(before.n + 1 if before else 1, now_ms, None, None, last_seq, 0)
    connection.execute(_of_book(_BOOK, book.n))
    connection.execute(
        "INSERT INTO orchard_log_books (n, opened_ms, last_seq) VALUES (%s, %s, %s)",
        (book.n, book.opened_ms, book.last_seq),
    )
    return book


def settle(connection: Connection, book: Book) -> None:
    """Sort in what of a closed book's index is unsorted."""
    connection.execute(
        "SELECT gin_clean_pending_list(to_regclass(%s))", (f"{PREFIX}_terms_{book.n}",)
    )


def drop_book(connection: Connection, book: Book) -> None:
    """Forget a book with all its lines."""
    connection.execute(SQL("DROP TABLE IF EXISTS {}").format(table(book.n)))
    connection.execute("DELETE FROM orchard_log_books WHERE n = %s", (book.n,))


def bytes_used(connection: Connection, found: Iterable[Book]) -> int:
    """What books take on the disk, with their indexes."""
    names = [f"{PREFIX}_lines_{book.n}" for book in found]
    row = connection.execute(
        "SELECT sum(pg_total_relation_size(to_regclass(name))) FROM unnest(%s::text[]) AS name",
        (names,),
    ).fetchone()
    return int(row[0] or 0) if row else 0


def _make(connection: Connection) -> None:
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MAKE_LOCK,))
    connection.execute(_SCHEMA)
    connection.execute(
        "INSERT INTO orchard_log_state (version, last_seq)"
        " SELECT %s, coalesce(max(last_seq), 0) FROM orchard_log_books ON CONFLICT DO NOTHING",
        (VERSION,),
    )


def _of_book(statements: str, n: int) -> Composed:
    names = {of: table(n, of) for of in ("lines", "places", "arrival", "terms")}
    return SQL(statements).format(**names, pending=SQL(str(PENDING_KB)))


def _check_version(version: int) -> None:
    if version > VERSION:
        raise LogsAway("the log tables were written by a newer version of Orchard")
