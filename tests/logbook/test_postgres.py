"""What is PostgreSQL's own: servers that go away, tables that come and go, the plan of a search."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL

from orchard.logbook import batching
from orchard.logbook.contract import Limits, LogsAway, Search
from orchard.logbook.handler import LogbookHandler
from orchard.logbook.lines import make_line
from orchard.logbook.places import place_of_logs
from orchard.logbook.postgres import database
from orchard.logbook.postgres.searching import BEGIN, statement
from orchard.logbook.terms import indexed, terms_of, wanted
from tests.logbook.logbooks import Logbook, line, now_ms, place_of_url
from tests.postgres import PostgresServer


@pytest.fixture
def logbook(postgres_place: dict[str, Any]) -> Iterator[Logbook]:
    """An empty log database in PostgreSQL."""
    made = Logbook(postgres_place)
    yield made
    made.writer.close()


@pytest.fixture
def connection(postgres_url: str) -> Iterator[psycopg.Connection]:
    """Somebody else's connection."""
    with psycopg.connect(postgres_url, autocommit=True) as made:
        yield made


def test_a_batch_is_whole_or_not_at_all(logbook: Logbook, connection: psycopg.Connection):
    logbook.say("before")
    connection.execute("ALTER TABLE orchard_log_lines_1 ADD CHECK (message <> 'b')")
    with pytest.raises(LogsAway):
        logbook.say("a", "b", "c")
    assert logbook.find() == ["before"]
    logbook.say("after")
    assert [one.message for one in logbook.reader.arrived_after(Search(), 1, 9).lines] == ["after"]


def test_tables_that_were_taken_away_are_made_anew(
    logbook: Logbook, connection: psycopg.Connection
):
    logbook.say("before")
    connection.execute("DROP TABLE orchard_log_state, orchard_log_books, orchard_log_lines_1")
    assert logbook.find() == []
    logbook.say("after")
    assert logbook.find() == ["after"]


def test_tables_of_a_newer_version_are_let_alone(logbook: Logbook, connection: psycopg.Connection):
    logbook.say("before")
    connection.execute("UPDATE orchard_log_state SET version = 99")
    with pytest.raises(LogsAway, match="newer version"):
        logbook.say("after")
    with pytest.raises(LogsAway, match="newer version"):
        logbook.find()


def test_writers_that_begin_at_the_same_moment_make_the_tables_once(logbook: Logbook):
    start = threading.Barrier(4)
    faults: list[Exception] = []

    def write(name: str) -> None:
        start.wait()
        try:
            logbook.writer.write([line(name)])
        except LogsAway as fault:
            faults.append(fault)

    threads = [threading.Thread(target=write, args=(f"t{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert sorted(logbook.find()) == ["t0", "t1", "t2", "t3"]


def test_whoever_follows_misses_no_line_however_many_write(logbook: Logbook):
    def write(name: str) -> None:
        for i in range(30):
            logbook.writer.write([line(f"{name}-{i}-{j}") for j in range(5)])

    threads = [threading.Thread(target=write, args=(f"t{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    seen: list[str] = []
    arrived = 0
    deadline = time.monotonic() + 60
    while len(seen) < 450 and time.monotonic() < deadline:
        page = logbook.reader.arrived_after(Search(), arrived, 1000)
        seen += [one.message for one in page.lines]
        arrived = page.arrived
    for thread in threads:
        thread.join()
    assert len(seen) == len(set(seen)) == arrived == 450


def test_a_book_that_is_being_read_is_dropped_later(
    logbook: Logbook, postgres_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("orchard.logbook.postgres.writing.DROP_WAIT", "100ms")
    logbook = Logbook(logbook.place, Limits(max_age_days=2))
    start = now_ms() - 10 * 86_400_000
    for day in range(3):
        at = start + day * 86_400_000
        logbook.writer.write([line(f"d{day}", time_ms=at)], at)
    with psycopg.connect(postgres_url) as reading:
        reading.execute("SELECT count(*) FROM orchard_log_lines_1").fetchone()
        assert logbook.writer.forget() == 0
    assert logbook.writer.forget() == 2


def test_a_server_that_was_started_again_is_used_again(own_postgres_server: PostgresServer):
    logbook = Logbook(place_of_url(own_postgres_server.url()))
    logbook.say("before")
    own_postgres_server.stop()
    with pytest.raises(LogsAway):
        logbook.say("while away")
    with pytest.raises(LogsAway):
        logbook.find()
    own_postgres_server.start()
    logbook.say("after")
    assert logbook.find() == ["after", "before"]
    logbook.writer.close()


def test_lines_wait_until_the_server_is_back(
    own_postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch, caplog
):
    monkeypatch.setattr(batching, "REST_S", (0.05,))
    place = place_of_url(own_postgres_server.url())
    logger, handler = logging.Logger("orchard.test"), LogbookHandler("web", place, 30, 10**9)
    logger.addHandler(handler)
    own_postgres_server.stop()
    logger.info("while away: %s", "会議")
    deadline = time.monotonic() + 20
    while "cannot be handed on" not in caplog.text:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    own_postgres_server.start()
    reader = Logbook(place).reader
    while not (found := reader.find(Search(words=("会議",)), 9).lines):
        assert time.monotonic() < deadline + 20
        time.sleep(0.05)
    assert [one.message for one in found] == ["while away: 会議"]
    handler.close()


@pytest.mark.parametrize(
    "text",
    ["plain words of ASCII", "録音の音声を分割しました: ガイド42件", "", "é", "a\nb\tc 🍎", "ab"],
)
def test_the_terms_are_those_that_sqlite_finds_in_what_it_is_given(text: str):
    made = make_line(line(text, worker="w1", job="j", level=40, issue=7), now_ms())
    given = indexed(made)
    assert terms_of(made) <= {given[i : i + 3] for i in range(len(given) - 2)}
    for choice in wanted(["plain", "音声", "é", "ab", "42"], [("worker", "w1"), ("level", 40)]):
        assert all(len(term) == 3 for term in choice)


@pytest.mark.parametrize(
    ("search", "step"),
    [
        (Search(words=("nebula",)), "Bitmap Index Scan on orchard_log_terms_1"),
        (Search(words=("42",)), "Bitmap Index Scan on orchard_log_terms_1"),
        (Search(words=("many",)), "Bitmap Index Scan on orchard_log_terms_1"),
        (Search(worker="w1", level=40), "Bitmap Index Scan on orchard_log_terms_1"),
        (Search(since_ms=5), "Index Scan Backward using orchard_log_places_1"),
    ],
)
def test_a_search_of_many_lines_asks_the_index(
    logbook: Logbook, connection: psycopg.Connection, search: Search, step: str
):
    logbook.writer.write(line(f"line {i} of many", worker=f"w{i % 9}") for i in range(1000))
    (book,) = database.books(connection)
    text, values = statement(book, search, (0, 2**62))
    connection.execute(SQL(BEGIN).format(patience=SQL("5000")))
    rows = connection.execute(b"EXPLAIN " + text.as_bytes(connection), [*values, 100])
    plan = "\n".join(row[0] for row in rows)
    assert step in plan
    assert "Seq Scan" not in plan


def test_lines_follow_the_database_of_the_site(tmp_path):
    file = tmp_path / "l"
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": "x"}
    assert place_of_logs(sqlite, file) == file
    given = {
        "ENGINE": "django.db.backends.postgresql", "NAME": "o", "USER": "u", "PASSWORD": "",
        "HOST": "h", "PORT": 1, "OPTIONS": {"sslmode": "require", "pool": {"max_size": 2}},
    }  # fmt: skip
    wanted_place = {"dbname": "o", "user": "u", "host": "h", "port": 1, "sslmode": "require"}
    assert place_of_logs(given, file) == wanted_place
