"""Finding jobs: all of those asked for, in order, page after page, and never by looking at all."""

from __future__ import annotations

import random

import pytest
from django.db import connection

from orchard.catalogue import finding, rows
from orchard.catalogue.finding import SORTS, Wanted
from orchard.catalogue.texts import contains, parse_words
from orchard.domain.errors import InvalidInput
from orchard.domain.lifecycle import JobStatus
from orchard.services.queries import JOB_STATUSES
from tests.catalogue.jobs import made, search

pytestmark = pytest.mark.django_db

NAMES = (
    "会議の録音.m4a",
    "Ｔａｌｋ１.wav",
    "weekly MEETING.mp3",
    "ミーティング 12.wav",
    "o'hara%_.ogg",
)


def pages(text: str = "", limit: int = 7, **more: str) -> list[str]:
    """The ids of all pages, one after the other."""
    ids: list[str] = []
    page = search(text, limit, **more)
    while True:
        assert len(page.ids) <= limit
        ids += page.ids
        if page.next is None:
            return ids
        page = search(text, limit, page.next, **more)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("会議", 0), ("議", 0), ("録音", 0), ("議の録", 0), ("TALK1", 1), ("ｔａｌｋ", 1),
        ("lk1", 1),
        ("meeting", 2), ("WEEKLY mp3", 2), ("ﾐｰﾃｨﾝｸﾞ", 3), ("12", 3), ("ング 12", 3), ("%", 4),
        ("o'h", 4), ("_", 4), ("'", 4),
    ],
)  # fmt: skip
def test_any_part_of_a_name_finds_it_in_any_spelling(text, name):
    jobs = [made(number, given) for number, given in enumerate(NAMES, 0xA000)]
    rows.put(jobs)
    assert search(text).ids == [jobs[name].job_id]


def test_the_beginning_of_an_id_finds_its_job():
    ids = ("abc1230000000000", "abc4560000000000", "def1230000000000")
    jobs = [made(number, job_id=job_id) for number, job_id in enumerate(ids)]
    rows.put(jobs)
    assert search("abc").ids == [ids[1], ids[0]]
    assert search(jobs[2].job_id.upper()).ids == [jobs[2].job_id]


def test_all_words_must_be_in_the_name():
    rows.put([made(1, "red apple.wav"), made(2, "green apple.wav")])
    assert len(search("apple").ids) == 2
    assert search("apple green").ids == [made(2).job_id]
    assert search("apple blue") == finding.Found(ids=[], count=0)


def test_a_name_may_hold_anything():
    jobs = [made(n, name) for n, name in enumerate(("<script>", "a\0b", "ﷺ" * 200, " \t ", "😀"))]
    rows.put(jobs)
    assert search("<SCRIPT>").ids == [jobs[0].job_id]
    assert search("😀").ids == [jobs[4].job_id]
    assert len(pages(sort="name")) == 5


def some_jobs(count: int = 300):
    chance = random.Random(4)
    return [
        made(
            chance.randrange(100), chance.choice(NAMES), status=chance.choice(list(JobStatus)),
            job_id=f"{number:016x}", duration_ms=chance.randrange(5), size=chance.randrange(9),
        )
        for number in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize(("few", "near"), [(2_000, 20_000), (3, 20_000), (3, 5)])
def test_pages_are_all_jobs_once_and_in_order(sort, few, near, monkeypatch):
    monkeypatch.setattr(finding, "FEW", few)
    monkeypatch.setattr(finding, "NEAR", near)
    jobs = some_jobs()
    rows.put(jobs)
    column, direction = SORTS[sort]
    value = {row.job_id: (getattr(row, column), n) for n, row in enumerate(map(rows.row_of, jobs))}
    for text, status in (("", ""), ("", "failed"), ("会議", ""), ("talk", "failed"), ("w", "")):
        words = parse_words(text)
        expected = [
            job.job_id for job in jobs
            if contains(job.filename, job.job_id, words) and (not status or job.status == status)
        ]  # fmt: skip
        expected.sort(key=value.__getitem__, reverse=direction == "DESC")
        assert expected
        assert pages(text, sort=sort, status=status) == expected


def test_few_hits_are_counted_and_many_are_not(monkeypatch):
    rows.put(some_jobs(100))
    assert search("会議", 5).count == len(pages("会議"))
    monkeypatch.setattr(finding, "FEW", 3)
    assert search("会議", 5).count is None


def test_a_page_begins_after_a_row_that_is_gone_meanwhile():
    rows.put([made(number) for number in range(10)])
    first = search(limit=4)
    rows.drop([first.ids[-1]])
    assert search(limit=4, cursor=first.next).ids == [made(n).job_id for n in (5, 4, 3, 2)]


@pytest.mark.parametrize(
    "cursor", ["x", "!!!", "WyJuYW1lIl0", "bnVsbA", "WyJuZXdlc3QiLCJ4IiwxXQ", "W10", "あ"]
)
def test_what_is_no_cursor_is_refused(cursor):
    with pytest.raises(InvalidInput, match="cursor"):
        search(cursor=cursor)


def test_a_cursor_of_another_order_is_refused():
    rows.put([made(number) for number in range(3)])
    cursor = search(limit=1).next
    with pytest.raises(InvalidInput, match="order"):
        search(limit=1, cursor=cursor, sort="name")


class Asked(list):
    """Every question to the database, with how the database answers it."""

    def __call__(self, execute, text, values, many, context):
        self.append((text, values))
        return execute(text, values, many, context)


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("status", ["", "completed"])
@pytest.mark.parametrize("text", ["", "会議", "talk"])
@pytest.mark.parametrize("few", [2_000, 3])
def test_no_page_looks_at_all_rows_or_sorts_them(sort, status, text, few, monkeypatch):
    monkeypatch.setattr(finding, "FEW", few)
    rows.put(some_jobs())
    asked = Asked()
    with connection.execute_wrapper(asked):
        first = search(text, 5, sort=sort, status=status)
        search(text, 5, first.next or "", sort=sort, status=status)
    assert asked
    for question, values in asked:
        plan = explain(question, values)
        assert not [step for step in plan if scans(step)], plan
        if not (text and few == 2_000):
            assert not [step for step in plan if "TEMP B-TREE" in step], plan
    along = [question for question, _ in asked if "ORDER BY" in question and "hit" not in question]
    column = {"created_ms": "created", "updated_ms": "updated", "folded": "name",
              "bytes": "bytes", "duration_ms": "duration"}[SORTS[sort][0]]  # fmt: skip
    index = f"catalogue_of_{column}" if status else f"catalogue_{column}"
    for question in along:
        values = next(given for known, given in asked if known == question)
        assert index in " ".join(explain(question, values))


def explain(question: str, values) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {question}", values)
        return [row[3] for row in cursor.fetchall()]


def scans(step: str) -> bool:
    """Whether a step of a plan looks at the whole table of jobs."""
    return step.startswith("SCAN job") and "USING" not in step


def test_every_state_of_a_job_can_be_asked_for():
    rows.put([made(n, status=JobStatus(status)) for n, status in enumerate(JOB_STATUSES)])
    assert [len(finding.find(Wanted(status=one), limit=5).ids) for one in JOB_STATUSES] == [1] * 8
