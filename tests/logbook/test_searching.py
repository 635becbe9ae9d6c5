"""Finding lines in either kind of log database: any part of any word, plainly, in pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchard.logbook.contract import Limits, Search, SearchTooSlow
from orchard.logbook.places import Place, open_reader
from orchard.logbook.terms import code
from tests.logbook.conftest import MakeLogbook
from tests.logbook.logbooks import Logbook, now_ms

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


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=TEXTS, start=st.integers(0, 29), length=st.integers(1, 12))
def test_whatever_stands_in_a_line_is_found(logbook: Logbook, text: str, start: int, length: int):
    logbook.say(text or "-")
    (whole,) = logbook.find(limit=1)
    start %= max(1, len(whole))
    needle = whole[start : start + length]
    assert whole in logbook.find(needle, limit=1)


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


def test_pages_go_on_across_books(make_logbook: MakeLogbook):
    logbook = make_logbook(Limits(max_bytes=20_000_000))
    start = now_ms() - 10_000
    for part in range(3):
        logbook.say(*(f"xxx {part}-{i} {i * 7919:040x}" for i in range(1100)), time_ms=start + part)
        logbook.say(*("x" * 4000 for _ in range(100)), time_ms=start - 5000)
    assert logbook.reader.describe().books > 1
    places: list[int] = []
    before = None
    while True:
        page = logbook.reader.find(Search(words=("xxx", "-")), 700, before)
        places += [one.id for one in page.lines]
        before = page.next
        if before is None:
            break
    assert len(places) == 3300
    assert places == sorted(set(places), reverse=True)


def test_what_was_never_written_to_is_an_empty_logbook(place: Place):
    reader = open_reader(place, Limits())
    assert reader.find(Search(), 10).lines == reader.arrived_after(Search(), 0, 10).lines == []
    assert (reader.describe().books, reader.describe().oldest_ms) == (0, None)


def test_a_search_that_takes_too_long_is_given_up(logbook: Logbook):
    logbook.say(*(f"line {i}" for i in range(3000)))
    hasty = type(logbook.reader)(logbook.place, logbook.limits, patience_s=-1)
    with pytest.raises(SearchTooSlow):
        hasty.find(Search(words=("z",)), 10)


def test_facts_that_no_database_can_hold_are_in_no_line(logbook: Logbook):
    logbook.say("a", worker="w1", issue=7)
    for strange in ("w1\0", "\udc80", "'; DROP TABLE x; --", "%s", "w_", "W1"):
        assert logbook.find(worker=strange) == logbook.find(job=strange) == []
    assert logbook.find(issue=2**53) == []


def test_a_log_database_says_what_it_holds(logbook: Logbook):
    start = now_ms() - 10
    logbook.say("a", "b", "c", time_ms=start)
    told = logbook.reader.describe()
    assert told.kind.lower() == ("sqlite" if isinstance(logbook.place, Path) else "postgresql")
    assert (told.books, told.oldest_ms, told.newest_ms) == (1, start, start + 2)
    assert 1000 < told.bytes < 10_000_000
