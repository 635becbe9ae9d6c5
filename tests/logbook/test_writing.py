"""Writing lines: many writers at once, whole batches, and an end to everything in its time."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from orchard.logbook.contract import BOOKS, DAY_MS, Limits
from orchard.logbook.places import Place
from tests.logbook.conftest import MakeLogbook
from tests.logbook.logbooks import Logbook, line, now_ms

WRITE = """
import sys
from pathlib import Path
from orchard.logbook.contract import Limits
from orchard.logbook.places import open_writer
from tests.logbook.logbooks import line, place_of_url
given = sys.argv[1]
writer = open_writer(place_of_url(given) if "://" in given else Path(given), Limits())
for i in range(20):
    writer.write([line(f"{sys.argv[2]}-{i}-{j}") for j in range(25)])
"""


def address_of(place: Place) -> str:
    if isinstance(place, Path):
        return str(place)
    return "postgresql://{user}@{host}:{port}/{dbname}".format(**place)


def test_threads_and_processes_write_at_the_same_time_and_nothing_is_lost(logbook: Logbook):
    children = [
        subprocess.Popen([sys.executable, "-c", WRITE, address_of(logbook.place), f"p{n}"])
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


def test_old_lines_are_not_found_any_more_and_their_books_go(make_logbook: MakeLogbook):
    logbook = make_logbook(Limits(max_age_days=2))
    start = now_ms() - 4 * DAY_MS
    for hour in range(0, 96, 2):
        at = start + hour * DAY_MS // 24
        logbook.writer.write([line(f"h{hour}", time_ms=at)], at)
    assert logbook.find() == [f"h{hour}" for hour in range(94, 48, -2)]
    assert BOOKS / 2 < logbook.reader.describe().books <= BOOKS + 2


def test_it_does_not_grow_beyond_its_limit(make_logbook: MakeLogbook):
    limits = Limits(max_bytes=4_000_000)
    logbook = make_logbook(limits)
    for batch in range(120):
        logbook.say(*(f"batch {batch} line {i} " + f"{i * batch:x}" * 40 for i in range(100)))
    assert logbook.reader.describe().bytes < 1.2 * limits.max_bytes
    kept = logbook.find(limit=10_000)
    assert kept[0].startswith("batch 119 line 99")
    assert 500 < len(kept) < 11_900
    assert logbook.find("batch", limit=10_000) == kept


def test_one_huge_batch_is_kept_even_when_it_is_too_much(make_logbook: MakeLogbook):
    logbook = make_logbook(Limits(max_bytes=100_000))
    logbook.say(*("x" * 1000 for _ in range(500)))
    logbook.say("after")
    assert logbook.find()[0] == "after"


def test_two_lines_of_one_moment_are_both_kept(logbook: Logbook):
    at = now_ms()
    for part in range(3):
        logbook.writer.write([line(f"{part}-{i}", time_ms=at) for i in range(50)])
    assert len(logbook.find(limit=1000)) == 150


def test_what_is_due_can_be_forgotten_without_writing(make_logbook: MakeLogbook):
    logbook = make_logbook(Limits(max_age_days=2))
    assert logbook.writer.forget() == 0
    start = now_ms() - DAY_MS
    for hour in range(0, 24, 4):
        at = start + hour * DAY_MS // 24
        logbook.writer.write([line(f"h{hour}", time_ms=at)], at)
    books = logbook.reader.describe().books
    assert logbook.writer.forget(now_ms() + DAY_MS // 2) == 0
    gone = logbook.writer.forget(now_ms() + 5 * DAY_MS)
    assert (gone, logbook.reader.describe().books) == (books - 1, 1)
    assert logbook.writer.forget(now_ms() + 5 * DAY_MS) == 0
