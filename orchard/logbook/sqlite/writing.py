"""Writing lines: in batches, each of them whole or not at all, the oldest forgotten in time."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from orchard.logbook.contract import BOOKS, Limits, LogsAway, line_id
from orchard.logbook.lines import Line
from orchard.logbook.sqlite import database
from orchard.logbook.sqlite.database import Book, transaction
from orchard.logbook.storing import cleaned, columns_of, fields_of, now_or, places_after
from orchard.logbook.terms import indexed

log = logging.getLogger("orchard.logbook")

DISK_FACTOR = 3
"""About so many times the size of its text does a line take on the disk, with its index."""


class SqliteWriter:
    """Puts lines into a log database; any number of threads and processes may do so at once."""

    def __init__(self, path: Path, limits: Limits | None = None) -> None:
        self._path = path
        self._limits = limits or Limits()
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._inode = 0

    def write(self, lines: Iterable[Line], now_ms: int | None = None) -> int:
        """Keep these lines, cleaned; answers how many.

        Raises:
            LogsAway: they cannot be written; none of them was.
        """
        now_ms = now_or(now_ms)
        made = cleaned(lines, now_ms)
        if not made:
            return 0
        with self._lock:
            try:
                self._write(self._open(), made, now_ms)
            except (sqlite3.Error, OSError) as fault:
                self._close()
                raise LogsAway(str(fault)) from fault
        return len(made)

    def forget(self, now_ms: int | None = None) -> int:
        """Drop the books that are too old or too much, never the newest; answers how many.

        Raises:
            LogsAway: the file cannot be changed now.
        """
        if not self._path.exists():
            return 0
        with self._lock:
            try:
                return self._drop_old(self._open(), now_or(now_ms))
            except (sqlite3.Error, OSError) as fault:
                self._close()
                raise LogsAway(str(fault)) from fault

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._close()

    def _open(self) -> sqlite3.Connection:
        """The connection; a new one when somebody has taken the file away."""
        if self._connection is not None and self._inode != _inode(self._path):
            self._close()
        if self._connection is None:
            self._connection = database.open_to_write(self._path)
            self._inode = _inode(self._path)
        return self._connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _write(self, connection: sqlite3.Connection, lines: Sequence[Line], now_ms: int) -> None:
        with transaction(connection):
            newest = next(iter(database.books(connection)), None)
            is_over = newest is not None and self._is_full(newest, now_ms)
            if newest is None or is_over:
                book = database.add_book(connection, now_ms, newest)
            else:
                book = newest
            _insert(connection, book, lines)
        if newest is not None and is_over:
            self._tidy(connection, newest, now_ms)

    def _is_full(self, book: Book, now_ms: int) -> bool:
        age_ms = now_ms - book.opened_ms
        has_size = book.bytes * DISK_FACTOR >= self._limits.max_bytes / BOOKS
        return has_size or age_ms >= self._limits.max_age_ms / BOOKS

    def _tidy(self, connection: sqlite3.Connection, closed: Book, now_ms: int) -> None:
        """Put the index of a closed book in order, and forget the oldest ones."""
        with transaction(connection):
            table = f"terms_{closed.n}"
            connection.execute(f"INSERT INTO {table} ({table}) VALUES ('optimize')")  # noqa: S608
        if self._drop_old(connection, now_ms):
            log.info("the oldest log lines were forgotten")

    def _drop_old(self, connection: sqlite3.Connection, now_ms: int) -> int:
        oldest_id, count = line_id(now_ms - self._limits.max_age_ms, 0), 0
        while self._drop_one(connection, oldest_id):
            count += 1
        return count

    def _drop_one(self, connection: sqlite3.Connection, oldest_id: int) -> bool:
        """Forget the oldest book if its time is up or there is too much; never the newest."""
        with transaction(connection):
            *old, _ = reversed(database.books(connection))
            if not old:
                return False
            is_too_old = (old[0].last_id or 0) < oldest_id
            if not is_too_old and database.bytes_used(connection) <= self._limits.max_bytes:
                return False
            database.drop_book(connection, old[0])
        return True


def _insert(connection: sqlite3.Connection, book: Book, lines: Sequence[Line]) -> None:
    seqs, places = places_after(book.last_seq, lines)
    rows = [
        columns_of(line, seq, place, fields_of(line))
        for line, seq, place in zip(lines, seqs, places, strict=True)
    ]
    connection.executemany(
        f"INSERT OR REPLACE INTO lines_{book.n} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        rows,
    )
    connection.executemany(
        f"INSERT INTO terms_{book.n} (rowid, text) VALUES (?, ?)",  # noqa: S608
        ((place, indexed(line)) for place, line in zip(places, lines, strict=True)),
    )
    size = sum(len(str(part)) for row in rows for part in row)
    connection.execute(
        "UPDATE books SET first_id = min(ifnull(first_id, ?1), ?1), bytes = bytes + ?4,"
        " last_id = max(ifnull(last_id, ?2), ?2), last_seq = ?3 WHERE n = ?5",
        (min(places), max(places), seqs[-1], size, book.n),
    )


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0
