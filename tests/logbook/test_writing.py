"""Writing lines: many writers at once, whole batches, and an end to everything in its time."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from orchard.logbook import database
from orchard.logbook.database import LogsAway
from orchard.logbook.writing import BOOKS, DAY_MS, Limits, Writer
from tests.logbook.logbooks import Logbook, line, now_ms

WRITE = """
import sys
from pathlib import Path
from orchard.logbook.writing import Writer
from tests.logbook.logbooks import line
writer = Writer(Path(sys.argv[1]))
for i in range(20):
    writer.write([line(f"{sys.argv[2]}-{i}-{j}") for j in range(25)])
"""


def test_threads_and_processes_write_at_the_same_time_and_nothing_is_lost(logbook: Logbook):
    children = [
        subprocess.Popen([sys.executable, "-c", WRITE, str(logbook.path), f"p{n}"])
        for n in range(3)
    ]

    def write(name: str) -> None:
        for i in range(20):
            logbook.writer.write([line(f"{name}-{i}-{j}") for j in range(25)])

    threads = [threading.Thread(target=write, args=(f"t{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [child.wait(60) for child in children] == [0, 0, 0]
    wanted = {
        f"{who}{n}-{i}-{j}" for who in "pt" for n in range(3) for i in range(20) for j in range(25)
    }
    messages = logbook.find(limit=10_000)
    assert len(messages) == len(wanted)
    assert set(messages) == wanted
    assert len(logbook.find("p1-7-", limit=100)) == 25


def count_books(logbook: Logbook) -> int:
    with closing(database.open_to_read(logbook.path)) as connection:
        return len(database.books(connection))


def test_old_lines_are_not_found_any_more_and_their_books_go(tmp_path):
    limits = Limits(max_age_days=2)
    logbook = Logbook(tmp_path / "l", limits)
    start = now_ms() - 4 * DAY_MS
    for hour in range(0, 96, 2):
        at = start + hour * DAY_MS // 24
        logbook.writer.write([line(f"h{hour}", time_ms=at)], at)
    assert logbook.find() == [f"h{hour}" for hour in range(94, 48, -2)]
    assert BOOKS / 2 < count_books(logbook) <= BOOKS + 2
    logbook.writer.close()


def test_the_file_does_not_grow_beyond_its_limit(tmp_path):
    limits = Limits(max_bytes=1_000_000)
    logbook = Logbook(tmp_path / "l", limits)
    for batch in range(60):
        logbook.say(*(f"batch {batch} line {i} " + f"{i * batch:x}" * 40 for i in range(100)))
    assert logbook.path.stat().st_size < 1.5 * limits.max_bytes
    kept = logbook.find(limit=10_000)
    assert kept[0].startswith("batch 59 line 99")
    assert 500 < len(kept) < 5000
    assert logbook.find("batch", limit=10_000) == kept
    logbook.writer.close()


def test_one_huge_batch_is_kept_even_when_it_is_too_much(tmp_path):
    logbook = Logbook(tmp_path / "l", Limits(max_bytes=100_000))
    logbook.say(*("x" * 1000 for _ in range(500)))
    logbook.say("after")
    assert logbook.find()[0] == "after"
    logbook.writer.close()


def test_a_batch_is_whole_or_not_at_all(logbook: Logbook):
    logbook.say("before")
    with closing(sqlite3.connect(logbook.path)) as other:
        other.execute("DROP TABLE terms_1")
        with pytest.raises(LogsAway):
            logbook.say("a", "b")
        assert other.execute("SELECT message FROM lines_1").fetchall() == [("before",)]


def test_a_file_that_was_taken_away_is_made_anew(logbook: Logbook):
    logbook.say("before")
    for path in logbook.path.parent.glob("logs.sqlite3*"):
        path.unlink()
    logbook.say("after")
    assert logbook.find() == ["after"]


def test_lines_are_for_their_owner_alone(logbook: Logbook):
    logbook.say("a")
    assert logbook.path.stat().st_mode & 0o777 == 0o600


def test_a_file_of_a_newer_version_is_let_alone(tmp_path):
    path = tmp_path / "l"
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 99")
    with pytest.raises(LogsAway, match="newer version"):
        Writer(path).write([line("a")])


def test_two_lines_of_one_moment_are_both_kept(logbook: Logbook):
    at = now_ms()
    for part in range(3):
        logbook.writer.write([line(f"{part}-{i}", time_ms=at) for i in range(50)])
    assert len(logbook.find(limit=1000)) == 150
