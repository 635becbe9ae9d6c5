"""The page on logs as the server renders it."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from orchard.logbook import site
from orchard.logbook.lines import Line
from orchard.services import engine
from statecore.store.redis import RedisStore

PAGE = "/ui/logs/"
JOB = "0123456789abcdef"
HOSTILE = "<script>alert(1)</script> <b>x</b> \" ' & {{ 7 }} \u202eevil"


@pytest.fixture(autouse=True)
def _log_database(settings: Any, tmp_path: Any):
    settings.LOG_DATABASE = tmp_path / "logs.sqlite3"
    yield
    site.get_writer().close()


def say(message: str, **facts: Any) -> None:
    site.get_writer().write(
        [Line(**{"time_ms": round(time.time() * 1000), "message": message} | facts)]
    )


def page_of(client: Client, path: str = PAGE, **query: Any) -> str:
    answer = client.get(path, query, headers={"accept-language": "en"})
    assert answer.status_code == 200
    return answer.content.decode()


def shown(page: str) -> list[str]:
    return re.findall(r'<p class="log-text">(.*?)</p>', page, re.DOTALL)


@pytest.mark.parametrize("path", [PAGE, "/ui/logs/new"])
def test_strangers_are_led_to_the_sign_in_page(path: str, db: None, client: Client):
    answer = client.get(path)
    assert (answer.status_code, answer["Location"]) == (302, f"/login?next={path}")


@pytest.mark.parametrize("path", [PAGE, "/ui/logs/new"])
def test_nothing_can_be_posted(path: str, operator: Client):
    assert operator.post(path).status_code == 405


def test_the_page_stands_in_the_header_and_an_empty_one_says_what_will_come(reader: Client):
    page = page_of(reader)
    assert '<a href="/ui/logs/" aria-current="page">' in page
    assert "Nothing was said yet" in page
    assert "POST /api/v1/logs" in page


def test_lines_are_shown_newest_first_with_links_to_what_they_are_about(reader: Client):
    say("older", process="web", time_ms=round(time.time() * 1000) - 5)
    say("newer", process="agent", worker="kitchen-pc", job=JOB, issue=7, level=40, logger="a.b")
    page = page_of(reader)
    assert shown(page) == ["newer", "older"]
    assert f'href="/ui/jobs/{JOB}/"' in page
    assert 'href="/ui/issues/7/"' in page
    assert re.search(r'href="/ui/workers/[^"]*">kitchen-pc<', page)
    assert '<a href="?process=agent"' in page
    assert '<a class="log-only" href="?worker=kitchen-pc"' in page
    assert 'data-level="error"' in page


def test_filters_stay_in_the_address_of_every_link(reader: Client):
    for i in range(120):
        say(f"disk {i} & more", process="web", level=30, worker="w1", issue=7, job="j")
    query = {"q": "disk & more", "level": "warning", "worker": "w1", "issue": "#7", "job": "j"}
    page = page_of(reader, **query, process="web")
    kept = (
        "?q=disk+%26+more&amp;level=warning&amp;process=web&amp;worker=w1&amp;job=j&amp;issue=%237"
    )
    assert f'data-url="/ui/logs/new{kept}"' in page
    assert f'href="/api/v1/logs{kept}&amp;format=ndjson"' in page
    assert 'name="q" value="disk &amp; more"' in page
    assert '<option value="warning" selected>' in page
    (older,) = re.findall(rf'href="{re.escape(kept)}&amp;cursor=(\d+)"', page)
    last = page_of(reader, **query, process="web", cursor=older)
    assert len(shown(page)) + len(shown(last)) == 120
    assert "data-url" not in last
    assert f'<a class="button" href="{kept}">Newest</a>' in last
    # What is chosen can be given up where it is shown.
    without = kept.replace("&amp;process=web", "")
    assert f'<a href="{without}" title="Lines of this process">web</a>' in page


def test_the_export_link_answers_the_viewer(reader: Client):
    say("a line")
    (link,) = re.findall(r'href="(/api/v1/logs[^"]*)"', page_of(reader))
    assert reader.get(link.replace("format=ndjson", "")).json()["lines"][0]["message"] == "a line"


def test_times_are_shown_as_the_form_wants_them_and_filter(reader: Client):
    now = datetime.now(UTC)
    say("before", time_ms=round((now - timedelta(hours=2)).timestamp() * 1000))
    say("after")
    since = (now - timedelta(hours=1)).astimezone().isoformat(timespec="seconds")
    page = page_of(reader, since=since)
    assert shown(page) == ["after"]
    assert f'value="{(now - timedelta(hours=1)):%Y-%m-%dT%H:%M:%S}"' in page
    assert shown(page_of(reader, until=f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M}")) == ["before"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"level": "loud"}, "“loud” is no level"), ({"issue": "seven"}, "“seven” is no number"),
        ({"since": "yesterday"}, "“yesterday” is no time"),
        ({"until": "2026-06-31T10:00"}, "“2026-06-31T10:00” is no time"),
        ({"issue": "9" * 19}, "is no number"),
    ],
)  # fmt: skip
def test_a_filter_that_makes_no_sense_is_told_and_finds_nothing(reader: Client, query, said):
    say("a line")
    page = page_of(reader, **query)
    assert said in page
    assert shown(page) == []


@pytest.mark.parametrize("cursor", ["x", "-1", "9" * 30, "²", ""])
def test_a_place_that_makes_no_sense_is_the_first_page(reader: Client, cursor: str):
    say("a line")
    assert shown(page_of(reader, cursor=cursor)) == ["a line"]


def test_hostile_text_is_shown_as_text(reader: Client):
    say(HOSTILE, process=HOSTILE, worker=HOSTILE, job=HOSTILE, logger=HOSTILE,
        fields={HOSTILE: HOSTILE, "traceback": HOSTILE})  # fmt: skip
    page = page_of(reader)
    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert "<b>x" not in page
    assert "\u202e" not in page
    assert shown(page) == [
        "&lt;script&gt;alert(1)&lt;/script&gt; &lt;b&gt;x&lt;/b&gt; &quot; &#x27; &amp; {{ 7 }} "
        "\\u202eevil"
    ]
    searched = page_of(reader, q='"><script>alert(2)</script>', worker='"><script>')
    assert "<script>alert" not in searched
    assert "No line matches" in searched


def test_new_lines_come_as_rows_with_how_far_they_go(reader: Client):
    say("first", worker="w1")
    page = page_of(reader)
    (after,) = re.findall(r'data-after="(\d+)"', page)
    say("second", worker="w1")
    say("third", worker="w2")
    fresh = page_of(reader, "/ui/logs/new", after=after)
    assert shown(fresh) == ["third", "second"]
    assert shown(page_of(reader, "/ui/logs/new", after=after, worker="w1")) == ["second"]
    (end,) = re.findall(r'data-after="(\d+)"', fresh)
    assert shown(page_of(reader, "/ui/logs/new", after=end)) == []


def test_a_page_about_the_past_does_not_follow(reader: Client):
    say("a line")
    assert "data-follow" in page_of(reader)
    assert "data-follow" not in page_of(reader, until="2030-01-01T00:00")
    assert "data-follow" not in page_of(reader, cursor="9")


def test_the_page_works_while_the_state_engine_is_away(reader: Client):
    say("the engine is away")
    before = engine.use(RedisStore("redis://127.0.0.1:1/0"))
    try:
        assert shown(page_of(reader)) == ["the engine is away"]
        assert shown(page_of(reader, "/ui/logs/new", after=0)) == ["the engine is away"]
    finally:
        engine.use(before)


def test_a_log_database_that_cannot_be_read_is_told(reader: Client, settings: Any):
    settings.LOG_DATABASE.write_bytes(b"no database" * 500)
    assert "The log database cannot be read right now" in page_of(reader)
    assert reader.get("/ui/logs/new").status_code == 503


def test_the_page_speaks_japanese(reader: Client):
    say("会議の録音を分割しました", level=40)
    answer = reader.get(PAGE, {"q": "録音"}, headers={"accept-language": "ja"})
    page = answer.content.decode()
    assert shown(page) == ["会議の録音を分割しました"]
    assert "ライブで追う" in page
    assert "エラー以上" in page
    assert '<span class="log-level-mark">エラー</span>' in page


def test_secrets_in_details_are_hidden(reader: Client):
    say("a line", fields={"password": "hunter22hunter", "note": "Bearer hunter22hunter"})
    page = page_of(reader)
    assert "hunter22" not in page
    assert "(hidden)" in page
