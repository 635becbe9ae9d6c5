"""The log database: one SQLite file whose lines are in books, each with an index of its own.

A book is some hours or days of lines. Forgetting the oldest lines is dropping
the oldest book, which costs next to nothing however many lines it has.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from orchard.logbook.contract import LogsAway

VERSION = 1
BUSY_S = 10.0
"""How long a writer waits for its turn."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS books (
    n INTEGER PRIMARY KEY, opened_ms INTEGER NOT NULL, first_id INTEGER, last_id INTEGER,
    last_seq INTEGER NOT NULL, bytes INTEGER NOT NULL DEFAULT 0
)
"""
_BOOK = (
    """CREATE TABLE lines_{n} (
        id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, level INTEGER NOT NULL, logger TEXT,
        message TEXT NOT NULL, process TEXT, worker TEXT, job TEXT, issue INTEGER, fields TEXT
    )""",
    "CREATE INDEX arrival_{n} ON lines_{n} (seq)",
    """CREATE VIRTUAL TABLE terms_{n} USING fts5 (
        text, content='', detail=none, columnsize=0, tokenize='trigram case_sensitive 1'
    )""",
)


class Book(NamedTuple):
    """Some lines in the order of their time; books may overlap a little."""

    n: int
    opened_ms: int
    first_id: int | None
    last_id: int | None
    last_seq: int
    bytes: int


def open_to_write(path: Path) -> sqlite3.Connection:
    """A connection for lines to come; the file is made when it is not there.

    Raises:
        sqlite3.Error: it cannot be opened, or is no log database.
        LogsAway: a newer version has written it.
    """
    connection = sqlite3.connect(
        path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        path.chmod(0o600)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        _check_version(connection, path)
        with transaction(connection):
            connection.execute(_SCHEMA)
            connection.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        connection.close()
        raise
    return connection


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing.

    Raises:
        sqlite3.Error: there is no such file, or it is no log database.
    """
    address = f"{path.absolute().as_uri()}?mode=ro"
    return sqlite3.connect(
        address, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )


@contextmanager
def transaction(connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    """All or nothing."""
    connection.execute(f"BEGIN {kind}")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def books(connection: sqlite3.Connection) -> list[Book]:
    """All books, the newest first."""
    if not connection.execute("PRAGMA user_version").fetchone()[0]:
        return []  # the file is just being made
    found = connection.execute(
        "SELECT n, opened_ms, first_id, last_id, last_seq, bytes FROM books ORDER BY n DESC"
    )
    return [Book(*row) for row in found]


def add_book(connection: sqlite3.Connection, now_ms: int, before: Book | None) -> Book:
    """Begin a new book, whose lines are counted on from those before."""
    book = Book(before.n + 1 if before else 1, now_ms, None, None, _seq(before), 0)
    for statement in _BOOK:
        connection.execute(statement.format(n=book.n))
    row = (book.n, book.opened_ms, book.last_seq)
    connection.execute("INSERT INTO books (n, opened_ms, last_seq) VALUES (?, ?, ?)", row)
    return book


def drop_book(connection: sqlite3.Connection, book: Book) -> None:
    """Forget a book with all its lines."""
    for table in (f"lines_{book.n}", f"terms_{book.n}"):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("DELETE FROM books WHERE n = ?", (book.n,))


def bytes_used(connection: sqlite3.Connection) -> int:
    """What the lines take on the disk; room that became free again does not count."""
    size, pages, free = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_size", "page_count", "freelist_count")
    )
    return int(size) * (int(pages) - int(free))


def _seq(book: Book | None) -> int:
    return book.last_seq if book else 0


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise LogsAway(f"{path.name} was written by a newer version of Orchard")
