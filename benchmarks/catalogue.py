"""The catalogue's promise: a page of a million jobs, searched and sorted, in 200 ms at the 95th
percentile.

Run ``python -m benchmarks.catalogue`` (``--jobs`` for another number); the database is made anew
in a temporary folder.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import django
import msgspec

from benchmarks.rows import Row, make_row
from orchard.domain.jobs import Job, create_job
from orchard.domain.lifecycle import JobStatus

GOAL_MS = 200.0
ROUNDS = 5
PAGE = 200
_BATCH = 1_000
_WRITTEN = 10_000
"""So many rows are written as the follower writes them, when all others are there."""
_USING = "catalogue-bench"
_WORDS = (
    "meeting",
    "interview",
    "weekly",
    "会議",
    "録音",
    "ミーティング",
    "customer",
    "sales",
    "講義",
    "memo",
)
_TEXTS = (
    "", "meeting", "会議", "議", "w", "wav", "2026", "zebra", "meeting zebra", "no such name",
    "4f2a", "録音 customer", "ミーテ", "999_", "#",
)  # fmt: skip
_STATUSES = ("completed",) * 90 + ("failed",) * 6 + ("cancelled",) * 3 + ("processing",)


def measure(count: int = 1_000_000) -> list[Row]:
    """Fill a catalogue with so many jobs, and ask for pages of it in every way."""
    with tempfile.TemporaryDirectory(prefix="orchard-catalogue-") as folder:
        path = Path(folder) / "db.sqlite3"
        _open(path)
        rate = _fill(count)
        times = _ask_everything()
        size = path.stat().st_size / count
    every = sorted(itertools.chain.from_iterable(times.values()))
    slowest = max(sorted(one)[-1] for one in times.values())
    name = f"page of {count:,} jobs"
    return [
        make_row("catalogue", f"{name}, p95", [every[int(len(every) * 0.95)]], "ms", GOAL_MS),
        make_row("catalogue", f"{name}, median", [every[len(every) // 2]], "ms", GOAL_MS),
        make_row("catalogue", f"{name}, the slowest kind", [slowest], "ms", 5 * GOAL_MS),
        make_row("catalogue", "rows written", [rate], "1/s", 500, at_most=False),
        make_row("catalogue", "a row on the disk", [size], "bytes", 2000),
    ]


def _open(path: Path) -> None:
    from django.core.management import call_command
    from django.db import connections

    site = connections.settings["default"]
    connections.settings[_USING] = site | {
        "ENGINE": "django.db.backends.sqlite3", "NAME": path,
        "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"},
    }  # fmt: skip
    call_command("migrate", "catalogue", database=_USING, verbosity=0)


def _fill(count: int) -> float:
    """All but the last rows at once, their indexes afterwards; how many of the last a second."""
    from django.db import connections, transaction

    from orchard.catalogue import rows
    from orchard.catalogue.models import CataloguedJob

    jobs = _jobs(count)
    with transaction.atomic(using=_USING), connections[_USING].cursor() as cursor:
        cursor.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = 'catalogue_job'"
            " AND type IN ('index', 'trigger') AND sql IS NOT NULL"
        )
        made = cursor.fetchall()
        for kind, name, _ in made:
            cursor.execute(f"DROP {kind} {name}")
        for batch in iter(lambda: list(itertools.islice(jobs, _BATCH)), []):
            CataloguedJob.objects.using(_USING).bulk_create(map(rows.row_of, batch))
            if batch[-1].size == count - _WRITTEN - 1:
                break
        cursor.execute("INSERT INTO catalogue_terms (catalogue_terms) VALUES ('rebuild')")
        for _, _, statement in made:
            cursor.execute(statement)
    last, start = list(jobs), time.perf_counter()
    for first in range(0, len(last), PAGE):
        with transaction.atomic(using=_USING):
            rows.put(last[first : first + PAGE], using=_USING)
    return len(last) / (time.perf_counter() - start)


def _jobs(count: int) -> Iterator[Job]:
    chance, start = random.Random(7), datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(count):
        at = start + timedelta(seconds=20 * number)
        words = " ".join(chance.sample(_WORDS, 3))
        name = f"{'zebra ' * (chance.random() < 0.0001)}{words} {at:%Y-%m-%d} {number}.wav"
        job = create_job(
            f"{chance.getrandbits(64):016x}", name, "", number, owner="", use_purifier=True,
            language="", at=at,
        ).job  # fmt: skip
        status = JobStatus(chance.choice(_STATUSES))
        yield msgspec.structs.replace(job, status=status, duration_ms=chance.randrange(10**7))


def _ask_everything() -> dict[tuple[str, str, str], list[float]]:
    from orchard.catalogue.finding import SORTS

    asked = itertools.product(_TEXTS, ("", "failed", "completed"), SORTS)
    return {one: _rounds(*one) for one in asked}


def _rounds(text: str, status: str, sort: str) -> list[float]:
    from orchard.catalogue.finding import Wanted, find
    from orchard.catalogue.texts import parse_words

    wanted = Wanted(words=parse_words(text), status=status, sort=sort)
    times, cursor = [], ""
    for _ in range(ROUNDS):
        start = time.perf_counter()
        page = find(wanted, limit=50, cursor=cursor, using=_USING)
        times.append((time.perf_counter() - start) * 1000)
        cursor = page.next or ""
    if max(times) > GOAL_MS / 2:
        print(f"{max(times):8.1f} ms  q={text!r} status={status or 'any'} sort={sort}")
    return times


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchard.settings")
    django.setup()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    for row in measure(parser.parse_args().jobs):
        print(f"{row.name}: {row.value:,} {row.unit} (goal {row.goal:g})")
