"""The same catalogue in PostgreSQL: what is found, in which order, and along which index."""

from __future__ import annotations

from collections.abc import Iterator

import dj_database_url
import pytest
from django.core.management import call_command
from django.db import connections

from orchard.catalogue import finding, rows
from orchard.catalogue.finding import SORTS, Wanted, find
from orchard.catalogue.models import CataloguedJob
from orchard.catalogue.texts import contains, parse_words
from tests.catalogue.jobs import made
from tests.catalogue.test_finding import NAMES, Asked, some_jobs

ALIAS = "catalogue-postgres"


@pytest.fixture
def using(postgres_url: str, django_db_blocker: pytest.FixtureRequest) -> Iterator[str]:
    """A database of its own with an empty catalogue."""
    parsed = dj_database_url.parse(postgres_url) | {"OPTIONS": {}}
    connections.settings[ALIAS] = connections.settings["default"] | parsed
    with django_db_blocker.unblock():
        call_command("migrate", "catalogue", database=ALIAS, verbosity=0)
        yield ALIAS
        connections[ALIAS].close()
    del connections[ALIAS]
    del connections.settings[ALIAS]


def pages(using: str, text: str, limit: int = 40, **more: str) -> list[str]:
    """The ids of all pages, one after the other."""
    ids: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        wanted = Wanted(words=parse_words(text), **more)
        page = find(wanted, limit=limit, cursor=cursor, using=using)
        ids, cursor = ids + page.ids, page.next
    return ids


@pytest.mark.parametrize(
    ("text", "name"),
    [("会議", 0), ("議", 0), ("ｔａｌｋ", 1), ("WEEKLY mp3", 2), ("ﾐｰﾃｨﾝｸﾞ", 3), ("12", 3), ("%", 4),
     ("o'h", 4), ("_", 4)],
)  # fmt: skip
def test_any_part_of_a_name_finds_it_in_postgresql(text, name, using: str):
    jobs = [made(number, given) for number, given in enumerate(NAMES, 0xA000)]
    rows.put(jobs, using=using)
    assert pages(using, text) == [jobs[name].job_id]


@pytest.mark.parametrize(("few", "near"), [(2_000, 20_000), (3, 20_000), (3, 5)])
def test_pages_are_all_jobs_once_and_in_order_in_postgresql(few, near, using: str, monkeypatch):
    monkeypatch.setattr(finding, "FEW", few)
    monkeypatch.setattr(finding, "NEAR", near)
    jobs = some_jobs(200)
    rows.put(jobs, using=using)
    for sort, (column, direction) in SORTS.items():
        sign = "-" if direction == "DESC" else ""
        stored = CataloguedJob.objects.using(using).order_by(f"{sign}{column}", f"{sign}id")
        ordered = list(stored.values_list("job_id", flat=True))
        for text, status in (("", ""), ("", "failed"), ("会議", ""), ("talk", "failed")):
            words = parse_words(text)
            fitting = {
                job.job_id for job in jobs
                if contains(job.filename, job.job_id, words)
                and (not status or job.status == status)
            }  # fmt: skip
            expected = [job_id for job_id in ordered if job_id in fitting]
            assert pages(using, text, sort=sort, status=status) == expected


def test_rows_that_are_put_again_and_dropped_leave_nothing_to_find(using: str):
    rows.put([made(1, "old name.wav"), made(2, "other.wav")], using=using)
    rows.put([made(1, "new name.wav")], using=using)
    assert pages(using, "old") == []
    assert pages(using, "name") == [made(1).job_id]
    rows.drop([made(1).job_id], using=using)
    assert pages(using, "name") == []
    assert len(pages(using, "")) == 1


@pytest.mark.parametrize("sort", SORTS)
def test_postgresql_walks_the_indexes_too(sort, using: str):
    rows.put([made(n, f"talk {n}", status="completed") for n in range(1, 3_001)], using=using)
    asked = Asked()
    with connections[using].cursor() as cursor:
        cursor.execute("ANALYZE catalogue_job")
    with connections[using].execute_wrapper(asked):
        find(Wanted(sort=sort), limit=5, using=using)
        find(Wanted(words=("no such name",), sort=sort), limit=5, using=using)
    for question, values in asked:
        with connections[using].cursor() as cursor:
            cursor.execute(f"EXPLAIN {question}", values)
            plan = "\n".join(row[0] for row in cursor.fetchall())
        assert "Seq Scan" not in plan, plan
