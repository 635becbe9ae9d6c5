"""A process's connections to the databases of log lines: a few, shared by its threads.

No pool of psycopg's: that one goes on with its own rests after the server came back,
and tells of every attempt in the very log that cannot be written.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from orchard.logbook.contract import LogsAway

MOST = 4
"""Connections of one process at most; a search takes some milliseconds."""
WAIT_S = 5.0
"""How long somebody waits for a connection."""

Place = dict[str, Any]


class Connections:
    """Connections to one place, opened when they are needed and kept for the next."""

    def __init__(self, place: Place) -> None:
        # Statements are not prepared: their tables come and go.
        own: Place = {
            "autocommit": True,
            "prepare_threshold": None,
            "application_name": "orchard-logs",
        }
        self._options: Place = {"connect_timeout": round(WAIT_S)} | place | own
        self._turns = threading.BoundedSemaphore(MOST)
        self._resting: list[psycopg.Connection] = []

    @contextmanager
    def one(self) -> Iterator[psycopg.Connection]:
        """A connection without a transaction.

        Raises:
            LogsAway: the database cannot be used, or no longer.
        """
        if not self._turns.acquire(timeout=WAIT_S):
            raise LogsAway("too many searches at once")
        try:
            connection = self._take()
            try:
                yield connection
            except BaseException:
                connection.close()  # whatever it was in the middle of
                raise
            self._resting.append(connection)
        except psycopg.Error as fault:
            raise LogsAway(str(fault).strip()) from fault
        finally:
            self._turns.release()

    def close(self) -> None:
        """Close those that rest."""
        while (connection := self._rested()) is not None:
            connection.close()

    def _take(self) -> psycopg.Connection:
        """One that rested, if the server still knows it, else a new one."""
        while (connection := self._rested()) is not None:
            try:
                connection.execute("")
            except psycopg.OperationalError:
                connection.close()
                continue
            return connection
        return psycopg.connect(**self._options)

    def _rested(self) -> psycopg.Connection | None:
        try:
            return self._resting.pop()
        except IndexError:
            return None


_known: dict[tuple[int, str], Connections] = {}
_lock = threading.Lock()


def connections_to(place: Place) -> Connections:
    """This process's connections to a place; a child has its own."""
    key = os.getpid(), repr(sorted(place.items()))
    with _lock:
        if key not in _known:
            _known[key] = Connections(place)
        return _known[key]
