"""Finding lines in a real SQLite file: any part of any word, plainly, and through the index."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchard.logbook.database import LogsAway, books, open_to_read
from orchard.logbook.searching import Reader, Search, SearchTooSlow, statement
from orchard.logbook.terms import code
from orchard.logbook.writing import Limits
from tests.logbook.logbooks import Logbook, line, now_ms

MINUTE_MS = 60_000


def test_words_are_found_in_any_order_and_by_their_parts(logbook: Logbook):
    logbook.say("The disk of kitchen-pc is FULL", "the kitchen is warm")
    assert logbook.find("kitchen") == ["the kitchen is warm", "The disk of kitchen-pc is FULL"]
    assert logbook.find("full disk") == logbook.find("itchen-p") == logbook.find("FuLl")
    assert logbook.find("full disk") == ["The disk of kitchen-pc is FULL"]
    assert logbook.find("full disc") == logbook.find("warm full") == []


@pytest.mark.parametrize(
    "text", ["音声", "の音声", "音", "した", "録音の音声を分割しました", "ｶﾞｲﾄﾞ", "ガイド",
             "４２", "42", "42件", "件", "   音声　分割  "],
)  # fmt: skip
def test_japanese_is_found_by_single_characters_and_in_all_widths(logbook: Logbook, text: str):
    logbook.say("別の行", "録音の音声を分割しました: ガイド42件", "音楽", "other 24")
    assert logbook.find(text)[-1] == "録音の音声を分割しました: ガイド42件"
    assert "別の行" not in logbook.find(text)


@pytest.mark.parametrize("text", ["ab", "b]", "x", "é", "éa", "]"])
def test_one_and_two_characters_are_found_at_the_end_too(logbook: Logbook, text: str):
    logbook.say("nothing", "[ab]", "x", "caféa")
    assert len(logbook.find(text)) == 1


SIGNS = [
    '"', '""', '"a', "'", "*", "a*", "^a", "NEAR", "NEAR(", "a AND b", "OR", "NOT", "-", "a-b",
    "{", "text:", "text : a", "(", ")", "a OR", "a+b", ";", "%", "_", "\\", "?", "?1", "''; DROP",
    "#7", "<b>", "🍎", "a\u0301",
]  # fmt: skip


@pytest.mark.parametrize("sign", SIGNS)
def test_signs_with_a_meaning_elsewhere_are_plain_text(logbook: Logbook, sign: str):
    logbook.say("zzz", f"here {sign} it is")
    assert logbook.find(sign) == [f"here {sign} it is"]
    assert logbook.find(f"{sign}zzzz") == []


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30)


@settings(max_examples=60, deadline=None)
@given(text=TEXTS, start=st.integers(0, 29), length=st.integers(1, 12))
def test_whatever_stands_in_a_line_is_found(text: str, start: int, length: int):
    with TemporaryDirectory() as folder:
        logbook = Logbook(Path(folder) / "l")
        logbook.say(text, "-")
        (whole,) = [one for one in logbook.find() if one != "-"] or ["-"]
        start %= max(1, len(whole))
        needle = whole[start : start + length]
        assert whole in logbook.find(needle)
        logbook.writer.close()


def test_a_line_is_found_by_its_facts(logbook: Logbook):
    logbook.say("a", worker="w1", job="j1", process="web", level=20)
    logbook.say("b", worker="w2", job="j1", process="web", level=40, issue=7)
    logbook.say("c", worker="w2", job="j2", process="agent", level=50, issue=8)
    assert logbook.find(job="j1") == ["b", "a"]
    assert logbook.find(worker="w2", process="web") == logbook.find(issue=7) == ["b"]
    assert logbook.find(level=40) == ["c", "b"]
    assert logbook.find(level=41) == ["c"]
    assert logbook.find("w1", job="j2") == logbook.find(worker="w") == logbook.find(issue=0) == []
    assert logbook.find("w2 #8") == ["c"]


def test_facts_that_share_a_term_are_told_apart(logbook: Logbook):
    logbook.say("a", worker="w1")
    logbook.say("text with the term of a fact: " + code("worker", "w2"))
    assert logbook.find(worker="w2") == []


def test_lines_of_before_and_after_are_left_out(logbook: Logbook):
    start = now_ms() - 10 * MINUTE_MS
    for minute in range(5):
        logbook.say(f"m{minute}", time_ms=start + minute * MINUTE_MS)
    since, until = start + MINUTE_MS, start + 3 * MINUTE_MS
    assert logbook.find(since_ms=since, until_ms=until) == ["m2", "m1"]
    assert logbook.find("m", since_ms=since, until_ms=until) == ["m2", "m1"]
    assert logbook.find(since_ms=until, until_ms=since) == []


def test_lines_that_come_late_stand_in_their_place(logbook: Logbook):
    start = now_ms() - MINUTE_MS
    logbook.say("second", time_ms=start + 2)
    logbook.say("first", time_ms=start + 1)
    logbook.say("third", time_ms=start + 2)
    assert logbook.find() == ["third", "second", "first"]
    fresh = logbook.reader.arrived_after(Search(), 1, 10)
    assert [one.message for one in fresh.lines] == ["third", "first"]
    assert logbook.reader.arrived_after(Search(), fresh.arrived, 10).lines == []


def test_following_finds_only_what_is_looked_for_and_says_how_far_it_went(logbook: Logbook):
    logbook.say(*(f"line {i}" for i in range(10)), worker="w1")
    page = logbook.reader.arrived_after(Search(words=("line",), worker="w1"), 4, 3)
    assert ([one.message for one in page.lines], page.arrived) == (
        ["line 9", "line 8", "line 7"], 10,
    )  # fmt: skip
    assert logbook.reader.arrived_after(Search(worker="w2"), 0, 3).lines == []


def test_pages_go_on_across_books(tmp_path):
    logbook = Logbook(tmp_path / "l", Limits(max_bytes=200_000_000))
    start = now_ms() - 10_000
    for part in range(3):
        logbook.say(*("x" * 4000 + f" {part}-{i}" for i in range(1100)), time_ms=start + part)
    with closing(open_to_read(logbook.path)) as connection:
        assert len(books(connection)) > 1
    places: list[int] = []
    before = None
    while True:
        page = logbook.reader.find(Search(words=("xxx",)), 700, before)
        places += [one.id for one in page.lines]
        before = page.next
        if before is None:
            break
    assert len(places) == 3300
    assert places == sorted(set(places), reverse=True)
    logbook.writer.close()


def test_no_file_is_an_empty_logbook(tmp_path):
    reader = Reader(tmp_path / "none", 10**9)
    assert reader.find(Search(), 10).lines == reader.arrived_after(Search(), 0, 10).lines == []


def test_a_search_that_takes_too_long_is_given_up(logbook: Logbook):
    logbook.say(*(f"line {i}" for i in range(3000)))
    hasty = Reader(logbook.path, logbook.limits.max_age_ms, patience_s=-1)
    with pytest.raises(SearchTooSlow):
        hasty.find(Search(words=("z",)), 10)


def test_a_damaged_file_is_told(logbook: Logbook):
    logbook.path.write_bytes(b"nonsense" * 1000)
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
    with closing(open_to_read(many.path)) as connection:
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
