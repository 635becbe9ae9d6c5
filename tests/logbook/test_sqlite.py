"""What is SQLite's own: a file that comes and goes, and the plan of a search."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from orchard.logbook.contract import Limits, LogsAway, Search
from orchard.logbook.sqlite.database import books, open_to_read
from orchard.logbook.sqlite.searching import statement
from orchard.logbook.sqlite.writing import SqliteWriter
from tests.logbook.logbooks import Logbook, line


@pytest.fixture
def logbook(sqlite_place: Path) -> Iterator[Logbook]:
    """An empty log database in a file."""
    made = Logbook(sqlite_place)
    yield made
    made.writer.close()


def test_a_damaged_file_is_told(logbook: Logbook):
    logbook.place.write_bytes(b"nonsense" * 1000)
    with pytest.raises(LogsAway):
        logbook.find()
    with pytest.raises(LogsAway):
        logbook.say("a")


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> Iterator[Logbook]:
    """A logbook of 100,000 lines, and one."""
    made = Logbook(tmp_path_factory.mktemp("many") / "logs.sqlite3")
    made.writer.write(line(f"line {i} of many", worker=f"w{i % 9}") for i in range(100_000))
    made.say("a nebula, 音声")
    yield made
    made.writer.close()


INDEX = "SCAN term VIRTUAL TABLE INDEX"


@pytest.mark.parametrize(
    ("search", "step"),
    [
        (Search(words=("nebula",)), INDEX),
        (Search(words=("音声",)), INDEX),
        (Search(words=("42",)), INDEX),
        (Search(worker="w1"), INDEX),
        (Search(level=40, since_ms=5), INDEX),
        (Search(since_ms=5), "SEARCH line USING INTEGER PRIMARY KEY"),
    ],
)
def test_a_search_of_many_lines_asks_the_index_and_sorts_nothing(
    many: Logbook, search: Search, step: str
):
    with closing(open_to_read(many.place)) as connection:
        (book,) = books(connection)
        text, values = statement(book, search, (0, 2**62))
        first, *others = [
            row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", values)
        ]
    assert first.startswith(step)
    assert (":M" in first) == (step == INDEX)
    assert others == (["SEARCH line USING INTEGER PRIMARY KEY (rowid=?)"] if step == INDEX else [])


def test_one_line_among_many_is_found(many: Logbook):
    assert many.find("nebula") == many.find("音") == ["a nebula, 音声"]
    assert many.find("line 77777") == ["line 77777 of many"]
    assert len(many.find("many", worker="w3", limit=20)) == 20


def test_a_batch_is_whole_or_not_at_all(logbook: Logbook):
    logbook.say("before")
    with closing(sqlite3.connect(logbook.place)) as other:
        other.execute("DROP TABLE terms_1")
        with pytest.raises(LogsAway):
            logbook.say("a", "b")
        assert other.execute("SELECT message FROM lines_1").fetchall() == [("before",)]


def test_a_file_that_was_taken_away_is_made_anew(logbook: Logbook):
    logbook.say("before")
    for path in logbook.place.parent.glob("logs.sqlite3*"):
        path.unlink()
    logbook.say("after")
    assert logbook.find() == ["after"]


def test_lines_are_for_their_owner_alone(logbook: Logbook):
    logbook.say("a")
    assert logbook.place.stat().st_mode & 0o777 == 0o600


def test_a_file_of_a_newer_version_is_let_alone(tmp_path):
    path = tmp_path / "l"
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 99")
    with pytest.raises(LogsAway, match="newer version"):
        SqliteWriter(path).write([line("a")])


def test_the_file_does_not_grow_beyond_its_limit(tmp_path):
    limits = Limits(max_bytes=1_000_000)
    logbook = Logbook(tmp_path / "l", limits)
    for batch in range(60):
        logbook.say(*(f"batch {batch} line {i} " + f"{i * batch:x}" * 40 for i in range(100)))
    assert logbook.place.stat().st_size < 1.5 * limits.max_bytes
    kept = logbook.find(limit=10_000)
    assert kept[0].startswith("batch 59 line 99")
    assert 500 < len(kept) < 5000
    assert logbook.find("batch", limit=10_000) == kept
    logbook.writer.close()
