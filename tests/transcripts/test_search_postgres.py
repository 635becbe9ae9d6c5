"""The search over transcripts in PostgreSQL: the same is found."""

from __future__ import annotations

import pytest

from orchard.catalogue import passages, rows
from orchard.catalogue.models import CataloguedJob, Passage
from orchard.catalogue.texts import parse_words
from tests.catalogue.jobs import made
from tests.catalogue.test_postgres import using  # noqa: F401 - a fixture

TEXTS = ("In the Garden", "猫とゲーム", "100% of a_b", "the end")


@pytest.fixture
def kept(using: str) -> str:  # noqa: F811 - the fixture's name
    """A database with a passage for each text."""
    rows.put([made(7)], using=using)
    row = CataloguedJob.objects.using(using).get()
    Passage.objects.using(using).bulk_create(
        passages.passage_of(row, [(number, text)]) for number, text in enumerate(TEXTS)
    )
    return using


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("garden", [0]), ("ｹﾞｰﾑ", [1]), ("猫", [1]), ("%", [2]), ("_", [2]), ("the", [3, 0]),
     ("the gar", [0]), ("nobody", [])],
)  # fmt: skip
def test_any_part_of_a_word_is_found_in_postgresql(text: str, numbers: list[int], kept: str):
    found = passages.find(parse_words(text), limit=10, using=kept)
    assert [hit.lines[0][0] for hit in found.hits] == numbers


def test_pages_hold_everything_once_in_postgresql(kept: str):
    first = passages.find(parse_words("e"), limit=1, using=kept)
    again = passages.find(parse_words("e"), limit=1, cursor=first.next or "", using=kept)
    assert [hit.lines[0][0] for hit in (*first.hits, *again.hits)] == [3, 0]
    assert again.next is None


def test_a_dropped_job_takes_its_passages_along_in_postgresql(kept: str):
    rows.drop([made(7).job_id], using=kept)
    assert not Passage.objects.using(kept).exists()
