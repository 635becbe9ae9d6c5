"""``/api/v1/logs``: taking lines, finding and exporting them, refusing nonsense."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import AsyncClient, Client

from orchard.logbook import site
from tests.api.fixtures import Tokens, post_json
from tests.api.test_bad_input import JSON_BODIES

PATH = "/api/v1/logs"


@pytest.fixture(autouse=True)
def _log_database(settings: Any, tmp_path: Any):
    settings.LOG_DATABASE = tmp_path / "logs.sqlite3"
    yield
    site.get_writer().close()


def send(client: Client, *lines: dict[str, Any]) -> Any:
    return post_json(client, PATH, {"lines": list(lines)})


def found(client: Client, **query: Any) -> list[str]:
    answer = client.get(PATH, query)
    assert answer.status_code == 200, answer.content
    return [line["message"] for line in answer.json()["lines"]]


def test_a_line_comes_back_as_it_was_sent(client: Client):
    at = datetime.now(UTC).replace(microsecond=123_000)
    sent = {
        "time": at.isoformat(), "level": "WARNING", "message": "disk is full", "logger": "a.b",
        "process": "cam", "worker": "kitchen-pc", "job": "0123456789abcdef", "issue": 7,
        "fields": {"free": 0}, "mount": "/data",
    }  # fmt: skip
    answer = send(client, sent)
    assert (answer.status_code, answer.json()) == (201, {"accepted": 1})
    (line,) = client.get(PATH).json()["lines"]
    assert datetime.fromisoformat(line.pop("time")) == at
    assert line.pop("id").isdecimal()
    assert line == {
        "level": "warning", "level_number": 30, "message": "disk is full", "logger": "a.b",
        "process": "cam", "worker": "kitchen-pc", "job": "0123456789abcdef", "issue": 7,
        "fields": {"free": 0, "mount": "/data"},
    }  # fmt: skip


def test_a_message_alone_is_enough(client: Client):
    before = datetime.now(UTC) - timedelta(milliseconds=2)
    send(client, {"message": "hello"})
    (line,) = client.get(PATH).json()["lines"]
    assert (line["level"], line["issue"], line["fields"]) == ("info", None, {})
    assert before <= datetime.fromisoformat(line["time"]) <= datetime.now(UTC)


def test_lines_are_found_by_text_level_facts_and_time(client: Client):
    now = datetime.now(UTC)
    for minutes, level in ((30, "debug"), (20, "error"), (10, 35)):
        time = now - timedelta(minutes=minutes)
        send(client, {
            "message": f"said {minutes} ago", "level": level, "time": time.timestamp(),
            "worker": f"w{minutes}", "process": "cam", "issue": minutes, "job": f"j{minutes}",
        })  # fmt: skip
    assert found(client) == ["said 10 ago", "said 20 ago", "said 30 ago"]
    assert found(client, q="AGO 20") == ["said 20 ago"]
    assert found(client, level="warning") == ["said 10 ago", "said 20 ago"]
    assert found(client, level="40") == ["said 20 ago"]
    assert found(client, worker="w30", process="cam") == ["said 30 ago"]
    assert found(client, issue=10) == found(client, job="j10") == ["said 10 ago"]
    since, until = (now - timedelta(minutes=m) for m in (25, 15))
    assert found(client, since=since.isoformat(), until=until.isoformat()) == ["said 20 ago"]


def test_pages_follow_each_other_without_gap_or_repetition(client: Client):
    send(client, *({"message": f"m{i}", "time": 1e9 * 1.7 + i} for i in range(3)))
    now = datetime.now(UTC).timestamp()
    send(client, *({"message": f"line {i}", "time": now - 60} for i in range(25)))
    seen, cursor = [], ""
    while cursor is not None:
        page = client.get(PATH, {"limit": 10, "cursor": cursor}).json()
        seen += [line["message"] for line in page["lines"]]
        cursor = page["next"]
    assert seen == [f"line {i}" for i in reversed(range(25))]


async def test_an_export_is_all_lines_as_a_file(
    async_reader: AsyncClient, async_agent: AsyncClient
):
    for _ in range(3):
        lines = [{"message": f"会議 {i}"} for i in range(500)]
        body = json.dumps({"lines": lines})
        answer = await async_agent.post(PATH, body, content_type="application/json")
        assert answer.status_code == 201
    answer = await async_reader.get(PATH, {"format": "ndjson", "q": "会議"})
    assert answer["Content-Type"] == "application/x-ndjson"
    assert 'filename="logs.ndjson"' in answer["Content-Disposition"]
    text = b"".join([part async for part in answer.streaming_content]).decode()
    lines = [json.loads(line) for line in text.splitlines()]
    assert len(lines) == len({line["id"] for line in lines}) == 1500
    some = await async_reader.get(PATH, {"format": "ndjson", "limit": 7})
    assert b"".join([part async for part in some.streaming_content]).count(b"\n") == 7


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "lines"),
        ({"lines": {}}, "lines"),
        ({"lines": [{"message": "a"}] * 1001}, "lines"),
        ({"lines": [{"message": "a"}, {}]}, "lines[1].message"),
        ({"lines": [{"message": ""}]}, "lines[0].message"),
        ({"lines": [{"message": "x" * 60_001}]}, "lines[0].message"),
        ({"lines": ["a"]}, "lines[0]"),
        ({"lines": [{"message": "a", "level": "loud"}]}, "lines[0].level"),
        ({"lines": [{"message": "a", "level": 101}]}, "lines[0].level"),
        ({"lines": [{"message": "a", "time": "yesterday"}]}, "lines[0].time"),
        ({"lines": [{"message": "a", "time": -1}]}, "lines[0].time"),
        ({"lines": [{"message": "a", "time": 1e300}]}, "lines[0].time"),
        ({"lines": [{"message": "a", "worker": 5}]}, "lines[0].worker"),
        ({"lines": [{"message": "a", "job": "j" * 201}]}, "lines[0].job"),
        ({"lines": [{"message": "a", "issue": "7"}]}, "lines[0].issue"),
        ({"lines": [{"message": "a", "issue": -7}]}, "lines[0].issue"),
        ({"lines": [{"message": "a", "fields": []}]}, "lines[0].fields"),
        ({"lines": [{"message": "a", "more": "x" * 20_000}]}, "lines[0].fields"),
    ],
)
def test_a_wrong_line_is_refused_by_the_name_of_its_field(client: Client, body: Any, field: str):
    answer = post_json(client, PATH, body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert list(answer.json()["detail"]) == [field]
    assert found(client) == []


@pytest.mark.parametrize("body", JSON_BODIES, ids=lambda body: str(body[:20]))
def test_a_body_that_makes_no_sense_is_refused_in_json(client: Client, body: bytes):
    answer = client.generic("POST", PATH, body, "application/json")
    assert answer.status_code == (413 if len(body) > 1_000_000 else 400)
    assert "error" in answer.json()


def test_a_body_that_is_too_large_is_413(client: Client):
    answer = send(client, *({"message": "x" * 11_000} for _ in range(100)))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert found(client) == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"level": "loud"}, "level"), ({"level": "-1"}, "level"), ({"issue": "x"}, "issue"),
        ({"issue": "9" * 20}, "issue"), ({"since": "yesterday"}, "since"),
        ({"until": "1"}, "until"),
        ({"limit": "0"}, "limit"), ({"limit": "1001"}, "limit"), ({"cursor": "x"}, "cursor"),
        ({"cursor": "9" * 19}, "cursor"), ({"format": "xml"}, "format"), ({"q": "a\0"}, "q"),
        ({"q": "x" * 301}, "q"),
    ],
)  # fmt: skip
def test_a_wrong_query_is_refused_by_the_name_of_its_field(client: Client, query: Any, field: str):
    answer = client.get(PATH, query)
    assert answer.status_code == 400
    assert list(answer.json()["detail"]) == [field]


def test_strange_but_valid_times_are_taken(client: Client):
    ahead = datetime.now(UTC) + timedelta(days=400)
    send(client, {"message": "from tomorrow", "time": ahead.isoformat()})
    send(client, {"message": "first", "time": "0001-01-01T00:00:00Z"})
    send(client, {"message": "last", "time": "9999-12-31T23:59:59Z"})
    lines = client.get(PATH).json()["lines"]
    assert {line["message"] for line in lines} == {"from tomorrow", "last"}
    assert lines[0]["fields"]["said_at"].startswith(("9999", str(ahead.year)))


def test_moments_far_away_can_be_asked_for(client: Client):
    send(client, {"message": "a line", "big": 10**30})
    assert found(client, since="0001-01-01T00:00", until="9999-12-31T23:59") == ["a line"]
    assert found(client, since="9999-12-31T23:59") == found(client, until="0001-01-01T00:00") == []


def test_secrets_are_taken_out(client: Client):
    secret = "orchard_" + "a1B2" * 10
    send(client, {"message": f"sent Bearer {secret}", "api_token": secret, "url": f"x/{secret}"})
    assert secret.encode() not in client.get(PATH).content
    assert found(client, q="hidden") == ["sent Bearer (hidden)"]


def test_a_damaged_log_database_is_503(client: Client, settings: Any):
    settings.LOG_DATABASE.write_bytes(b"this is no database" * 100)
    for answer in (client.get(PATH), send(client, {"message": "a"})):
        assert (answer.status_code, answer.json()["code"]) == (503, "logs_away")
        assert answer["Retry-After"]


def test_logs_do_not_need_the_state_engine(client: Client, tokens: Tokens):
    from orchard.services import engine
    from statecore.store.redis import RedisStore

    before = engine.use(RedisStore("redis://127.0.0.1:1/0"))
    try:
        assert send(client, {"message": "the engine is gone"}).status_code == 201
        assert found(client) == ["the engine is gone"]
    finally:
        engine.use(before)
