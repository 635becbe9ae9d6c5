"""The logbook's promise: a million lines searched in 200 ms, at the 95th percentile.

Run ``python -m benchmarks.logs`` (``--lines`` for another number); the database is a file in a
temporary folder, or, with ``--database``, an empty PostgreSQL database.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import dj_database_url

from benchmarks.rows import Row, make_row
from orchard.logbook.contract import Limits, LogReader, Search
from orchard.logbook.lines import LEVELS, Line
from orchard.logbook.places import Place, open_reader, open_writer, place_of_logs
from orchard.logbook.terms import parse_words

GOAL_MS = 200.0
ROUNDS = 5
LIMITS = Limits(max_age_days=30, max_bytes=4_000_000_000)
_BATCH = 10_000
_STEP_MS = 100
_SAYINGS = (
    "chunk {job}_chunk_{n} begins", "chunk {job}_chunk_{n} completed in {ms} ms",
    "job {job}: processing begins (attempt {n})", "the state engine is away; job {job} waits",
    "no sign of life could be given: timed out after {ms} ms",
    "録音 {job} の音声を分割しました ({ms} ms)",
    "ジョブ {job} の文字起こしが完了しました", "issue #{n} was orphaned: its process is dead",
)  # fmt: skip


def measure(count: int = 1_000_000, url: str = "") -> list[Row]:
    """Fill a logbook with so many lines, and search it in many ways; ``url`` is PostgreSQL's."""
    with tempfile.TemporaryDirectory(prefix="orchard-logs-") as folder:
        file = Path(folder) / "logs.sqlite3"
        place = place_of_logs(dj_database_url.parse(url), file) if url else file
        rate = _fill(place, count)
        reader = open_reader(place, LIMITS)
        times = [_rounds(reader, search) for search in _searches(count)]
        size = reader.describe().bytes / count
    return _rows(count, times, rate, size)


def _rows(count: int, times: list[list[float]], rate: float, size: float) -> list[Row]:
    every = sorted(ms for one in times for ms in one)
    p95 = [sorted(one)[-1] for one in times]
    worst = every[int(len(every) * 0.95)]
    return [
        make_row("logs", f"search of {count:,} lines, p95 of all kinds", [worst], "ms", GOAL_MS),
        make_row("logs", "the slowest kind of search", [max(p95)], "ms", GOAL_MS),
        make_row("logs", "lines written", [rate], "1/s", 1000, at_most=False),
        make_row("logs", "a line on the disk", [size], "bytes", 1500),
    ]


def _fill(place: Place, count: int) -> float:
    writer = open_writer(place, LIMITS)
    now_ms = round(time.time() * 1000)
    chance = random.Random(7)
    start = time.perf_counter()
    for first in range(0, count, _BATCH):
        batch = range(first, min(first + _BATCH, count))
        writer.write(_lines(batch, now_ms - count * _STEP_MS, chance), now_ms)
    writer.close()
    return count / (time.perf_counter() - start)


def _lines(numbers: range, start_ms: int, chance: random.Random) -> Iterator[Line]:
    for i in numbers:
        job = f"{i // 40:016x}"
        text = chance.choice(_SAYINGS)
        yield Line(
            time_ms=start_ms + i * _STEP_MS, job=job, worker=f"kitchen-pc-{i % 20}",
            message=text.format(job=job, n=i % 50, ms=chance.randrange(9000)),
            level=LEVELS[chance.choices(("info", "warning", "error"), (95, 4, 1))[0]],
            logger="orchard.agent", process=chance.choice(("agent", "pipeline", "web")),
            issue=i % 500 if "issue" in text else None,
        )  # fmt: skip


def _searches(count: int) -> list[Search]:
    """Common and rare words, words that never meet, Japanese, facts, and all at once."""
    middle = f"{count // 80:016x}"
    texts = (
        "chunk", "completed in 4711", "kitchen-pc-7 timed out", middle, "zebra", "文字起こし",
        "音声", "録音 分割", "engine away", "begins orphaned", "42", "ok",
        "\" * NEAR(", "away 8999 ms",
    )  # fmt: skip
    words = [Search(words=parse_words(text)) for text in texts]
    facts = [
        Search(), Search(level=40), Search(worker="kitchen-pc-3"), Search(job=middle),
        Search(issue=77), Search(process="web", level=40, worker="kitchen-pc-3"),
        Search(worker="nobody"), Search(worker="kitchen-pc-3", words=parse_words("kitchen-pc-4")),
        Search(words=parse_words("音声"), level=30, process="agent"),
    ]  # fmt: skip
    return words + facts


def _rounds(reader: LogReader, search: Search) -> list[float]:
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        page = reader.find(search, 100)
        times.append((time.perf_counter() - start) * 1000)
    print(f"{len(page.lines):4} lines {sorted(times)[2]:8.1f} ms  {_said(search)}")
    return times


def _said(search: Search) -> str:
    told = {name: getattr(search, name) for name in search.__struct_fields__}
    return " ".join(f"{name}={value}" for name, value in told.items() if value)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--database", default="", help="URL of a PostgreSQL database")
    given = parser.parse_args()
    for row in measure(given.lines, given.database):
        print(f"{row.name}: {row.value:,} {row.unit} (goal {row.goal:g})")
