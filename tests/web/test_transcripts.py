"""A job's page shows who speaks, in which language, and which words are unsure."""

from __future__ import annotations

import re

import msgspec
from django.test import Client

from orchard.catalogue import passages
from orchard.catalogue.following import Follower
from orchard.domain.timeline import Line, Word
from orchard.services import edits, run
from orchard.web.spoken import language_choices, language_name, pieces_of
from tests.catalogue.jobs import catch_up
from tests.transcripts.worlds import HELLO, finished, heard


def shown(client: Client, job_id: str, **headers: str) -> str:
    return client.get(f"/ui/jobs/{job_id}/", headers=headers).content.decode()


def test_words_that_are_unsure_are_marked_and_named(reader: Client):
    page = shown(reader, finished())
    assert '<span class="unsure" title="heard unsurely (30 %)">there</span>' in page
    assert "heard unsurely: there" in page
    said = re.search(r'<span class="said">(.*?)</span><span class="quiet">', page)
    assert said
    assert re.sub(r"<[^>]*>", "", said[1]) == "hello there"


def test_speakers_are_named_where_they_begin_and_are_text(reader: Client):
    hostile = msgspec.structs.replace(HELLO, speaker="<b>Eve")
    page = shown(reader, finished([heard(), heard(), heard(hostile)]))
    assert page.count('<b class="speaker">Ann &amp; Bob</b>') == 1
    assert page.count('<b class="speaker">&lt;b&gt;Eve</b>') == 1


def test_the_language_is_named_in_that_of_who_looks(reader: Client):
    job_id = finished([heard(language="ja")])
    assert "<span>Japanese (recognized)</span>" in shown(reader, job_id)
    assert "日本語（自動判定）" in shown(reader, job_id, accept_language="ja")
    chosen = finished([heard()], language="ja")
    assert "<span>Japanese</span>" in shown(reader, chosen)


def test_each_line_can_be_linked_to(reader: Client):
    assert 'id="at-100" data-start="100"' in shown(reader, finished())


def test_an_edited_line_has_no_marks(reader: Client):
    job_id = finished()
    run(edits.edit_line(job_id, 100, "hello where", was="hello there", by="ann"))
    page = shown(reader, job_id)
    assert "hello where" in page
    assert 'class="unsure"' not in page


def test_the_form_offers_languages_and_hot_words(operator: Client):
    page = operator.get("/").content.decode()
    assert '<option value="ja">Japanese</option>' in page
    assert 'name="hot_words"' in page
    assert len(language_choices()) > 180
    assert (language_name("yue"), language_name("zz")) == ("Cantonese", "zz")


def word(text: str, sure: float | None = 0.2) -> Word:
    return Word(start_ms=0, end_ms=1, text=text, confidence=sure)


def test_the_pieces_of_a_line_are_its_text_whatever_the_words_are():
    words = (word(" a", None), word(""), word(" b"), word("c", 0.9))
    line = Line(start_ms=0, end_ms=1, text="a, b c!", words=words)
    pieces = pieces_of(line, line.text)
    assert [(piece.text, piece.percent) for piece in pieces] == [
        ("a, ", None), ("b", 20), (" c!", None),
    ]  # fmt: skip
    strange = pieces_of(msgspec.structs.replace(line, words=(word("zz"),)), line.text)
    assert [(piece.text, piece.percent) for piece in strange] == [("a, b c!", None)]


def learn() -> None:
    catch_up(Follower())
    passages.read_some()


def test_the_search_leads_to_the_line_and_marks_its_words(reader: Client):
    line = Line(start_ms=65_000, end_ms=66_000, text="<b>Hello</b> there & here")
    job_id = finished([heard(), heard(line)])
    learn()
    page = reader.get("/ui/transcripts/", {"q": "hello"}).content.decode()
    assert f'href="/ui/jobs/{job_id}/#at-100"' in page
    assert "&lt;b&gt;<mark>Hello</mark>&lt;/b&gt; there &amp; here" in page
    assert "<b>Hello" not in page


def test_the_search_says_when_there_is_nothing_or_too_much(reader: Client):
    assert "What was said, and where?" in reader.get("/ui/transcripts/").content.decode()
    nothing = reader.get("/ui/transcripts/", {"q": "nobody"})
    assert "Nobody said that" in nothing.content.decode()
    damaged = reader.get("/ui/transcripts/", {"q": "a", "cursor": "?"})
    assert (damaged.status_code, "too many words" in damaged.content.decode()) == (200, True)
    japanese = reader.get("/ui/transcripts/", headers={"accept-language": "ja"})
    assert "文字起こしを検索" in japanese.content.decode()


def test_the_list_of_jobs_offers_its_transcripts_as_a_zip(reader: Client):
    assert "/api/v1/jobs/export" not in reader.get("/ui/jobs/").content.decode()
    finished()
    assert 'action="/api/v1/jobs/export"' in reader.get("/ui/jobs/").content.decode()
    assert "jobs/export" not in reader.get("/ui/jobs/?status=failed").content.decode()
