"""Where log lines are kept: in a file, or in the PostgreSQL database that the site has anyway."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchard.logbook.contract import Limits, LogReader, LogWriter
from orchard.logbook.sqlite.searching import SqliteReader
from orchard.logbook.sqlite.writing import SqliteWriter

Place = Path | dict[str, Any]
"""A file of SQLite's, or how to reach a PostgreSQL database (as psycopg is told)."""
_DJANGOS_OWN = {"pool", "isolation_level", "assume_role", "server_side_binding"}
"""Options of Django's that are none of the connection's."""


def place_of_logs(database: Mapping[str, Any], file: Path) -> Place:
    """The database of the site when it is PostgreSQL, else the file."""
    if not database["ENGINE"].endswith("postgresql"):
        return file
    facts = {
        "dbname": database["NAME"] or "postgres", "user": database.get("USER"),
        "password": database.get("PASSWORD"), "host": database.get("HOST"),
        "port": database.get("PORT"),
    }  # fmt: skip
    options = {
        name: value
        for name, value in database.get("OPTIONS", {}).items()
        if name not in _DJANGOS_OWN
    }
    return options | {name: value for name, value in facts.items() if value}


def open_writer(place: Place, limits: Limits) -> LogWriter:
    """Writes into the log database of a place; nothing is opened before the first line."""
    if isinstance(place, Path):
        return SqliteWriter(place, limits)
    from orchard.logbook.postgres.writing import PostgresWriter  # needless for SQLite

    return PostgresWriter(place, limits)


def open_reader(place: Place, limits: Limits) -> LogReader:
    """Searches the log database of a place."""
    if isinstance(place, Path):
        return SqliteReader(place, limits)
    from orchard.logbook.postgres.searching import PostgresReader

    return PostgresReader(place, limits)
