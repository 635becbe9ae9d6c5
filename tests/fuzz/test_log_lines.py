"""Log lines as programs send them, and what is searched for in them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchard.api.log_bodies import FOREVER_S
from orchard.logbook.contract import Search
from orchard.logbook.hiding import hide_secrets
from orchard.logbook.lines import LEVEL_MAX, Line, make_line
from orchard.logbook.terms import has_words, indexed, parse_words, terms_of
from tests.fuzz.shapes import texts, trees
from tests.fuzz.sizes import cases
from tests.logbook.logbooks import Logbook

NOW_MS = 1_795_248_000_000
lines = st.builds(
    Line,
    time_ms=st.integers(-(2**70), FOREVER_S * 1000) | st.just(NOW_MS), message=texts,
    level=st.integers(),
    logger=texts, process=texts, worker=texts, job=texts,
    issue=st.none() | st.integers(0, 2**53), fields=st.dictionaries(texts, trees(), max_size=4),
)  # fmt: skip


@cases(80)
@given(line=lines)
def test_any_line_can_be_kept_sent_and_indexed(line: Line):
    kept = make_line(line, NOW_MS)
    assert 0 <= kept.time_ms <= NOW_MS + 60_000
    assert 0 <= kept.level <= LEVEL_MAX
    assert json.dumps([kept.message, kept.fields], ensure_ascii=False).encode()
    assert indexed(kept).encode()
    assert all(term.encode() for term in terms_of(kept))
    assert has_words(kept, parse_words(kept.message))


@cases(80)
@given(before=texts, after=texts)
def test_a_secret_is_hidden_whatever_stands_around_it(before: str, after: str):
    secret = "orchard_" + "aB3_" * 11
    assert secret not in hide_secrets(f"{before} Bearer {secret} {after}")


@pytest.fixture(scope="module")
def logbook(tmp_path_factory: pytest.TempPathFactory) -> Logbook:
    """A log database with some lines."""
    book = Logbook(tmp_path_factory.mktemp("logs") / "logs.sqlite3")
    book.say("The disk is full", "会議の録音", "100% of 'x' AND \"y\"*", worker="w1")
    return book


@cases(60, share=0.2)
@given(
    text=texts, worker=texts, job=texts, level=st.integers(0, LEVEL_MAX),
    issue=st.none() | st.integers(0, 2**53), since=st.integers(0, 2**53),
    until=st.none() | st.integers(0, 2**53), before=st.none() | st.integers(0, 2**63 - 1),
)  # fmt: skip
def test_any_search_finds_lines_or_none(
    logbook: Logbook, text, worker, job, level, issue, since, until, before
):
    wanted = Search(
        words=parse_words(text), worker=worker, job=job, level=level, issue=issue,
        since_ms=since, until_ms=until,
    )  # fmt: skip
    page = logbook.reader.find(wanted, 10, before)
    assert all(has_words(line, wanted.words) for line in page.lines)
    assert all(line.worker == worker or not worker for line in page.lines)
