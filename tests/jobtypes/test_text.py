"""Batches of text, from the file to the results in its order."""

from __future__ import annotations

import json

import pytest

from orchard.agents.processors import Command, ProcessorFailed, count_words, parse_processors
from orchard.domain.errors import BadResult, InvalidInput
from orchard.domain.lifecycle import JobStatus
from orchard.jobtypes.text import BATCH_LINES
from tests.jobtypes.works import claim, complete, hand_in, process, see, work_on, worker

pytestmark = pytest.mark.django_db


def text(content: str | bytes, name: str = "a.txt"):
    return hand_in(content, name, job_type="text")


def test_lines_are_worked_on_in_batches_and_keep_their_order(store, clock, tmp_path):
    lines = [f"line {'word ' * (i % 7)}" for i in range(BATCH_LINES * 2 + 5)]
    job = text("\n".join(lines), "poem.txt")
    work_on(clock, 1)
    worker("w1", "text")
    held = claim()
    assert sorted(one.chunk.facts["lines"] for one in held) == [5, BATCH_LINES, BATCH_LINES]
    for one in held:
        process(one, count_words, tmp_path)
    work_on(clock, 1)
    done = see(job)
    assert (done.status, done.result.output) == (JobStatus.COMPLETED, "poem.results.jsonl")
    counted = [json.loads(line)["words"] for line in done.result.text.split("\n")]
    assert counted == [len(line.split()) for line in lines]


@pytest.mark.parametrize(
    ("name", "content", "values"),
    [
        ("a.txt", "one\r\n\n  \ntwo\u2028too", ["one", "two\u2028too"]),
        ("a.jsonl", '{"a": [1, 2]}\n"words"\n', [{"a": [1, 2]}, "words"]),
        ("A.CSV", 'name,said\nann,"two\nlines"\nben\n', [
            {"name": "ann", "said": "two\nlines"}, {"name": "ben", "said": ""}]),
    ],
)  # fmt: skip
def test_each_kind_of_file_becomes_json_lines(store, clock, tmp_path, name, content, values):
    job = text(content, name)
    work_on(clock, 1)
    worker("w1", "text")
    for one in claim():
        process(one, lambda payload, facts, progress: payload.read_text(), tmp_path)
    work_on(clock, 1)
    assert [json.loads(line) for line in see(job).result.text.split("\n")] == values


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", " \n\n", "there is nothing in it"),
        ("a.png", "x", "not a text batch; allowed: .txt, .jsonl, .csv"),
        ("a.txt", b"\xff\xfe\x00", "it is not UTF-8 text"),
        ("a.jsonl", '{"a": 1}\n{"a":\n', "value 2 is no JSON"),
        ("a.jsonl", "[" * 50_000, "value 1 is no JSON"),
        ("a.csv", "a,b\n1,2,3\n", "line 2 has more cells than the header"),
        ("a.csv", 'a\n"open', "unexpected end"),
        ("a.txt", "x" * 100_001, "line 1 has more than 100000 characters"),
    ],
)
def test_what_is_no_text_is_refused_with_the_reason(store, name, content, reason):
    with pytest.raises(InvalidInput, match=reason):
        text(content, name)


@pytest.mark.parametrize(
    ("answer", "reason"), [("1", "1 lines for 2"), ("1\n{", "line 2 is no JSON"), ("", "0 lines")]
)
def test_an_answer_of_another_shape_is_done_again(store, clock, answer, reason):
    text("one\ntwo")
    work_on(clock, 1)
    worker("w1", "text")
    (held,) = claim()
    with pytest.raises(BadResult, match=reason):
        complete(held, answer)


def test_an_agent_without_the_type_gets_none_of_it(store, clock):
    text("one")
    work_on(clock, 1)
    worker("w1", "audio")
    worker("w2", "audio", "broken")
    assert (claim("w1"), claim("w2")) == ([], [])


def run_command(tmp_path, *words: str, given: str = '"a b"\n') -> str:
    (tmp_path / "given").write_text(given)
    return Command(words)(tmp_path / "given", {"lines": 1}, lambda share: None)


def test_a_command_gets_the_payload_and_the_facts(tmp_path):
    assert run_command(tmp_path, "cat") == '"a b"\n'
    assert json.loads(run_command(tmp_path, "sh", "-c", 'echo "$ORCHARD_FACTS"')) == {"lines": 1}


def test_the_token_of_the_agent_is_not_for_its_commands(tmp_path, monkeypatch):
    monkeypatch.setenv("ORCHARD_TOKEN", "secret")
    assert "secret" not in run_command(tmp_path, "env")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo no luck >&2; exit 4", "sh ended with 4: no luck"),
        ("printf '\\377'", "no UTF-8"),
        ("head -c 5000000 /dev/zero", "more than 1000000 characters"),
    ],
)
def test_a_command_that_fails_says_why(tmp_path, script, reason):
    with pytest.raises(ProcessorFailed, match=reason):
        run_command(tmp_path, "sh", "-c", script)


def test_a_command_is_ended_when_somebody_else_has_the_piece(tmp_path):
    class Lost(Exception):
        pass

    def lose(share: float) -> None:
        raise Lost

    (tmp_path / "given").write_text("")
    command = Command(["sleep", "600"])
    with pytest.raises(Lost):
        command(tmp_path / "given", {}, lose)
    assert command._running is None


@pytest.mark.parametrize(
    "given", ["text", "text=", "=words", "text=command:", "text=no.such:thing", "text=os:nothing"]
)
def test_a_processor_that_there_is_not_is_named(given):
    with pytest.raises(ValueError, match=given.partition("=")[2] or given):
        parse_processors([given])


def test_processors_are_found_by_type():
    found = parse_processors(["text=words", "other=tests.jobtypes.test_text:run_command"])
    assert found == {"text": count_words, "other": run_command} or set(found) == {"text", "other"}
