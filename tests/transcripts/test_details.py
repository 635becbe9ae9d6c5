"""Words, speakers, languages and figures come through from the worker to the transcript."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from django.test import Client

from orchard.domain.timeline import ChunkResult, Line, Span, Word, join
from orchard.domain.transcripts import render
from orchard.ports.node_answers import read_answer
from orchard.services import queries, run
from tests.api.fixtures import post_json
from tests.services import orchards
from tests.transcripts.worlds import HELLO, finished, heard, said

V1 = "/api/v1"
PIECE = {
    "start_ms": 100, "end_ms": 900, "text": "hello there", "speaker": "Ann",
    "avg_logprob": -0.25, "no_speech_prob": 0.01, "compression_ratio": 0.8,
    "words": [{"start_ms": 100, "end_ms": 400, "text": " hello", "confidence": 0.9}],
}  # fmt: skip


def transcript(client: Client, job_id: str, form: str = "json", **query: Any) -> Any:
    return client.get(f"{V1}/jobs/{job_id}/transcript.{form}", query)


def test_what_a_worker_tells_of_a_line_is_kept_with_its_result(agent: Client):
    job = orchards.processing(1)
    orchards.worker("w1")
    (claimed,) = orchards.claim("w1")
    report = {"text": "hello there", "time_ms": 5, "segments": [PIECE]}
    body = report | {"worker_id": "w1", "token": claimed.chunk.token}
    path = f"{V1}/chunks/{orchards.name_of(claimed)}/complete"
    assert post_json(agent, path, body).status_code == 200
    (line,) = run(queries.get_transcript(job.job_id)).transcript.segments
    assert (line.speaker, line.avg_logprob, line.no_speech_prob) == ("Ann", -0.25, 0.01)
    assert (line.compression_ratio, line.words[0].confidence) == (0.8, 0.9)


@pytest.mark.parametrize(
    "changes",
    [
        {"avg_logprob": "good"}, {"speaker": 7}, {"speaker": "x" * 101}, {"words": [{}]},
        {"words": [{"start_ms": -1, "end_ms": 2, "text": "x"}]},
        {"words": [{"start_ms": 1, "end_ms": 2, "text": "x"}] * 10_001},
    ],
)  # fmt: skip
def test_details_that_cannot_be_are_refused(agent: Client, changes: dict[str, Any]):
    orchards.processing(1)
    orchards.worker("w1")
    (claimed,) = orchards.claim("w1")
    body = {
        "worker_id": "w1", "token": claimed.chunk.token, "text": "x", "time_ms": 5,
        "segments": [PIECE | changes],
    }  # fmt: skip
    path = f"{V1}/chunks/{orchards.name_of(claimed)}/complete"
    assert post_json(agent, path, body).status_code == 400


def test_a_number_beyond_all_bounds_is_refused(agent: Client):
    orchards.processing(1)
    orchards.worker("w1")
    (claimed,) = orchards.claim("w1")
    body = msgspec.json.encode(
        {"worker_id": "w1", "token": claimed.chunk.token, "text": "x", "time_ms": 5,
         "segments": [PIECE | {"avg_logprob": 12345}]}
    ).replace(b"12345", b"1e999")  # fmt: skip
    path = f"{V1}/chunks/{orchards.name_of(claimed)}/complete"
    assert agent.post(path, body, content_type="application/json").status_code == 400


def test_words_stand_on_the_timeline_of_the_recording(client: Client):
    job_id = finished([heard(), heard()])
    whole = transcript(client, job_id, words="true").json()
    first, second = whole["segments"]
    assert first["words"] == [
        {"start_ms": 100, "end_ms": 400, "text": "hello", "confidence": 0.9},
        {"start_ms": 420, "end_ms": 900, "text": "there", "confidence": 0.3},
    ]
    assert [word["start_ms"] for word in second["words"]] == [60_100, 60_420]
    assert (second["speaker"], second["avg_logprob"]) == ("Ann & Bob", -0.25)


def test_without_words_the_lines_are_those_of_the_contract(client: Client):
    plain = transcript(client, finished([heard(Line(start_ms=0, end_ms=5, text="hi"))])).json()
    assert plain["segments"] == [
        {"start": "00:00:00.000", "end": "00:00:00.005", "start_ms": 0, "end_ms": 5, "text": "hi"}
    ]


def test_a_speaker_is_named_in_webvtt_and_cannot_end_the_mark(client: Client):
    job_id = finished()
    assert "\n<v Ann &amp; Bob>hello there\n" in transcript(client, job_id, "vtt").content.decode()
    assert "Ann" not in transcript(client, job_id, "srt").content.decode()
    nasty = Line(start_ms=0, end_ms=9, text="x", speaker="a>\n\nb --> c")
    (cue,) = render(join([(Span(start_ms=0, end_ms=9), heard(nasty))]), "vtt").split("\n\n")[1:]
    assert cue.endswith("<v a&gt; b -&gt; c>x\n")


def test_the_language_is_that_of_most_of_the_recording(client: Client):
    languages = ["de", "ja", "de"]
    job_id = finished([heard(language=name) for name in languages])
    assert transcript(client, job_id).json()["language"] == "de"
    assert client.get(f"{V1}/jobs/{job_id}").json()["result"]["language"] == "de"


def test_a_language_that_nobody_told_is_left_out(client: Client):
    job_id = finished([ChunkResult(text="hm", time_ms=1)])
    assert "language" not in transcript(client, job_id).json()
    assert "language" not in client.get(f"{V1}/jobs/{job_id}").json()["result"]


def test_what_is_heard_is_shown_before_the_job_is_over(client: Client):
    job_id = said([heard()]).job_id
    early = transcript(client, job_id, words="true").json()
    assert (early["partial"], early["language"]) == (True, "en")
    assert len(early["segments"][0]["words"]) == 2


def test_words_from_elsewhere_are_dropped_and_their_line_stays():
    far = Word(start_ms=70_000, end_ms=70_100, text="far")
    near = Word(start_ms=59_990, end_ms=60_900, text="near")
    span = Span(start_ms=5_000, end_ms=65_000)
    line = Line(start_ms=0, end_ms=60_000, text="near far", words=(near, far))
    (joined,) = join([(span, heard(line))]).segments
    assert (joined.text, joined.words) == ("near far", ())
    (kept,) = join([(span, heard(msgspec.structs.replace(line, words=(near,))))]).segments
    assert (kept.words[0].start_ms, kept.words[0].end_ms) == (64_990, 65_000)


@pytest.mark.parametrize(
    "word",
    [
        {"start_ms": 100, "end_ms": 400, "text": " hello", "confidence": 0.5},
        {"start": 0.1, "end": 0.4, "word": " hello", "probability": 0.5},
        {"start": 0.1, "end": 0.4, "word": " hello", "score": 0.5},
    ],
)
def test_a_node_may_spell_words_as_whisper_does(word: dict[str, Any]):
    segment = PIECE | {"words": [word], "speaker": 2}
    raw = msgspec.json.encode({"text": "hello", "segments": [segment]})
    (line,) = read_answer(raw, duration_ms=1_000, time_ms=1).segments
    assert line.words == (Word(start_ms=100, end_ms=400, text=" hello", confidence=0.5),)
    assert (line.speaker, line.avg_logprob) == ("2", -0.25)


@pytest.mark.parametrize(
    "details",
    [
        {"words": "hello"}, {"words": [7]}, {"words": [{"start": "x", "end": 1, "word": "a"}]},
        {"words": [{"start": 2, "end": 1, "word": "a"}]}, {"speaker": ["a"]},
        {"avg_logprob": "low"}, {"words": [{"start": 1, "end": 1e300, "word": "a"}]},
    ],
)  # fmt: skip
def test_details_of_a_node_that_cannot_be_cost_nothing_but_themselves(details: dict[str, Any]):
    plain = {"start_ms": 100, "end_ms": 900, "text": "hello there"}
    raw = msgspec.json.encode({"text": "hello there", "segments": [plain | details]})
    (line,) = read_answer(raw, duration_ms=1_000, time_ms=1).segments
    assert line == Line(start_ms=100, end_ms=900, text="hello there")


def test_openais_shape_has_words_when_they_are_asked_for():
    from orchard.api.openai_shapes import verbose_shape

    view = run(queries.get_transcript(finished()))
    both = verbose_shape(view, ["word", "segment"])
    assert both["language"] == "english"
    assert both["words"][0] == {"word": "hello", "start": 0.1, "end": 0.4}
    assert both["segments"][0]["avg_logprob"] == HELLO.avg_logprob
    assert "segments" not in verbose_shape(view, ["word"])
    assert "words" not in verbose_shape(view)


class TestRules:
    """Subtitles by the rules, over the API."""

    LONG = Line(
        start_ms=0, end_ms=12_000,
        text="This is far too long for one caption, it goes on and on without an end, and on.",
    )  # fmt: skip

    def test_subtitles_have_one_block_a_line_unless_rules_are_asked_for(self, client: Client):
        job_id = finished([heard(self.LONG)])
        plain = transcript(client, job_id, "srt").content.decode()
        assert plain == f"1\n00:00:00,000 --> 00:00:12,000\n{self.LONG.text}\n\n"

    @pytest.mark.parametrize("query", [{"rules": "true"}, {"line_chars": 42}])
    def test_rules_and_limits_ask_for_short_lines(self, client: Client, query: dict[str, Any]):
        text = transcript(client, finished([heard(self.LONG)]), "srt", **query).content.decode()
        blocks = text.strip().split("\n\n")
        assert len(blocks) == 2
        assert all(len(line) <= 42 for block in blocks for line in block.split("\n")[2:])

    def test_a_voice_is_told_once_a_cue(self, client: Client):
        text = transcript(client, finished(), "vtt", rules="true").content.decode()
        assert text.startswith("WEBVTT\n\n00:00:00.100 --> ")
        assert text.endswith("<v Ann &amp; Bob>hello there\n")

    @pytest.mark.parametrize(
        ("form", "query", "field"),
        [
            ("txt", {"rules": "true"}, "rules"), ("json", {"lines": 2}, "lines"),
            ("srt", {"lines": 3}, "lines"), ("srt", {"line_chars": 1}, "line_chars"),
            ("srt", {"max_s": 1, "min_s": 4}, "min_s"), ("vtt", {"max_s": "nan"}, "max_s"),
        ],
    )  # fmt: skip
    def test_rules_that_cannot_be_are_refused_by_their_name(
        self, client: Client, form: str, query: dict[str, Any], field: str
    ):
        answer = transcript(client, finished(), form, **query)
        assert answer.status_code == 400
        assert field in answer.json()["error"]
