"""What a sender wishes of a transcript reaches those who write it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from orchard.domain.errors import InvalidInput
from orchard.domain.jobs import Wishes
from orchard.domain.languages import code_of, name_of, parse_language
from orchard.domain.wishes import make_wishes, split_hot_words
from orchard.services import run, submissions
from tests.api.fixtures import post_json, wav
from tests.services import orchards

V1 = "/api/v1"


def hand_in(client: Client, path: str = f"{V1}/jobs", **fields: Any) -> Any:
    return client.post(path, {"file": wav()} | fields)


@pytest.mark.parametrize("path", [f"{V1}/jobs", "/submit"])
def test_wishes_are_kept_with_the_job(client: Client, path: str):
    answer = hand_in(
        client, path, language="JA", prompt=" 小説の\n朗読 ",
        hot_words=["Dashwood, Elinor", "吾輩、猫"],
        words="false",
    )  # fmt: skip
    job = run(submissions.get_record(answer.json()["job_id"]))
    assert job.language == "ja"
    assert job.wishes == Wishes(
        prompt="小説の 朗読", hot_words=("Dashwood", "Elinor", "吾輩", "猫"), words=False
    )
    shown = client.get(f"{V1}/jobs/{job.job_id}").json()
    assert shown["wishes"]["hot_words"] == ["Dashwood", "Elinor", "吾輩", "猫"]


@pytest.mark.parametrize("fields", [{}, {"language": "auto", "hot_words": " , ", "words": "true"}])
def test_who_wishes_nothing_leaves_no_trace(client: Client, fields: dict[str, str]):
    answer = hand_in(client, **fields)
    job = run(submissions.get_record(answer.json()["job_id"]))
    assert (job.language, job.wishes) == ("", None)
    assert "wishes" not in answer.json()


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"language": "klingon"}, "language", "'klingon'"),
        ({"language": "xx"}, "language", "'xx'"),
        ({"prompt": "x" * 2001}, "prompt", "2000"),
        ({"prompt": "a\u202eb"}, "prompt", "printed"),
        ({"hot_words": [f"w{n}" for n in range(101)]}, "hot_words", "100"),
        ({"hot_words": ",".join(f"w{n}" for n in range(101))}, "hot_words", "100 words"),
        ({"hot_words": "x" * 101}, "hot_words", "100 characters"),
        ({"words": "perhaps"}, "words", "boolean"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_by_its_name(
    client: Client, fields: dict[str, Any], field: str, words: str
):
    answer = hand_in(client, **fields)
    assert answer.status_code == 400
    assert field in answer.json()["error"]
    assert words in answer.content.decode()


def test_a_worker_is_told_the_wishes_with_its_chunk(agent: Client):
    wishes = Wishes(prompt="A novel.", hot_words=("Dashwood",))
    orchards.processing(1, language="en", wishes=wishes)
    orchards.worker("w1")
    (chunk,) = post_json(agent, f"{V1}/workers/w1/claim").json()["chunks"]
    assert chunk["language"] == "en"
    assert chunk["wishes"] == {"prompt": "A novel.", "hot_words": ["Dashwood"]}


def test_a_worker_is_told_of_no_wishes_when_there_are_none(agent: Client):
    orchards.processing(1)
    orchards.worker("w1")
    (chunk,) = post_json(agent, f"{V1}/workers/w1/exchange").json()["chunks"]
    assert "wishes" not in chunk


@pytest.mark.parametrize(
    ("text", "code"), [("EN", "en"), (" auto ", ""), ("", ""), ("yue", "yue"), ("haw", "haw")]
)
def test_a_language_is_named_by_its_code(text: str, code: str):
    assert parse_language(text) == code


def test_a_language_that_there_is_not_is_refused_by_its_name():
    with pytest.raises(InvalidInput, match="'zz'"):
        parse_language("zz")


@pytest.mark.parametrize(
    ("told", "code"),
    [("en", "en"), ("en-US", "en"), ("english", "en"), ("Japanese", "ja"), ("yue", "yue"),
     ("", ""), (None, ""), ("unknown", ""), (7, "")],
)  # fmt: skip
def test_what_workers_call_a_language_is_understood(told: object, code: str):
    assert code_of(told) == code


def test_every_language_that_can_be_chosen_has_a_name():
    assert (name_of("yue"), name_of("ja"), name_of("")) == ("cantonese", "japanese", "")


def test_hot_words_are_told_apart_by_commas_and_lines_and_come_once():
    given = split_hot_words("Ann,Bob Miller\nAnn、猫;x")
    assert make_wishes(hot_words=given) == Wishes(hot_words=("Ann", "Bob Miller", "猫", "x"))
