"""What becomes of a line before it is kept: cleaned, bounded, put at a time that has been."""

from __future__ import annotations

import pytest

from orchard.logbook.hiding import hide_secrets
from orchard.logbook.lines import LEVELS, level_name, make_line, parse_level
from tests.logbook.logbooks import line

SECRET = "orchard_" + "aB3_" * 11


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {SECRET}", f"token {SECRET} was made", f"http://h/sign-in/{SECRET}",
        "redis://:hunter22hunter@host:1/0", "postgres://me:hunter22hunter@db/x",
        "password=hunter22hunter", '{"secret_key": "hunter22hunter"}', "api_key: hunter22hunter",
        "GET /sign-in/hunter22hunter?x=1", "ghp_hunter22hunterhunter22hunter",
    ],
)  # fmt: skip
def test_secrets_are_hidden(text: str):
    hidden = hide_secrets(text)
    assert "hunter22" not in hidden
    assert SECRET not in hidden
    assert "(hidden)" in hidden


@pytest.mark.parametrize(
    "text",
    ["the token is not valid", "http://h:8000/a@b", "password: ", "job 0123456789abcdef: x",
     "bearer of news", "会議の録音", "a" * 100],
)  # fmt: skip
def test_ordinary_text_stays_as_it_is(text: str):
    assert hide_secrets(text) == text


def test_fields_with_secret_names_are_hidden_at_any_depth():
    sent = {"password": "x1", "deep": [{"api_token": "x2", "user": "ann"}], "tokens": 5}
    kept = make_line(line("a", fields=sent), 0).fields
    assert kept["password"] == "(hidden)"
    assert kept["deep"] == [{"api_token": "(hidden)", "user": "ann"}]


def test_controls_are_written_out_and_lines_stay_lines():
    kept = make_line(line("a\x1b[31m\0\u202e\udc80\tb\n会議\u3000室"), 0)
    assert kept.message == "a\\x1b[31m\\x00\\u202e\\udc80\tb\n会議\u3000室"


def test_what_is_too_long_is_cut_and_shows_it():
    kept = make_line(line("x" * 50_000, worker="w" * 999, fields={"a": "y" * 50_000}), 0)
    assert (len(kept.message), len(kept.worker), len(kept.fields["a"])) == (20_000, 200, 20_000)
    assert kept.message.endswith("…")


def test_a_line_from_the_future_is_filed_at_its_arrival():
    now_ms = 1_700_000_000_000
    kept = make_line(line("a", time_ms=now_ms + 86_400_000), now_ms)
    assert kept.time_ms == now_ms
    assert kept.fields["said_at"].startswith("2023-11-15")
    assert make_line(line("a", time_ms=now_ms + 1000), now_ms).time_ms == now_ms + 1000


@pytest.mark.parametrize(
    ("given", "level"),
    [("info", 20), ("WARN", 30), (" Error ", 40), ("fatal", 50), ("35", 35), (0, 0), (100, 100)],
)
def test_levels_have_names_and_numbers(given, level):
    assert parse_level(given) == level


@pytest.mark.parametrize("given", ["", "loud", "-1", "101", -1, 101, "9" * 5000, "²"])
def test_a_level_that_there_is_not_is_refused(given):
    with pytest.raises(ValueError, match="must be one of debug, info"):
        parse_level(given)


def test_every_number_has_a_name():
    assert [level_name(n) for n in (0, 10, 29, 35, 99)] == [
        "debug", "debug", "info", "warning", "critical",
    ]  # fmt: skip
    assert {level_name(n) for n in LEVELS.values()} == {*LEVELS}
