"""Transcribers on real speech, and what they refuse."""

from __future__ import annotations

import json
import re
import shutil

import jiwer
import pytest

from orchard.transcribers import NAMES, bundled_model, load
from orchard.transcribers.base import (
    NOTHING_SPECIAL,
    Options,
    TranscriberFailed,
    UnknownTranscriber,
    Wishes,
    Word,
)
from orchard.transcribers.pauses import split_at_pauses
from tests import recordings
from tests.faults.nodes import Node


def words(text):
    return " ".join(re.sub(r"[^a-z ]", "", text.lower().replace("-", " ")).split())


@pytest.fixture(scope="module")
def recording():
    return recordings.build([1.0, 0.6, 5.0, 2.0, 1.0])


@pytest.fixture
def wav(recording, tmp_path):
    return recordings.write_wav(recording.samples, tmp_path / "speech.wav")


@pytest.mark.parametrize(("name", "worst"), [("faster_whisper", 0.10), ("pocketsphinx", 0.60)])
def test_the_words_of_real_speech_are_found(name, worst, recording, wav):
    heard = load(name, Options(threads=2)).transcribe(wav)
    assert jiwer.wer(words(recording.text), words(heard.text)) <= worst
    assert heard.language == "en"


def test_with_care_real_speech_is_found_as_well_and_a_prompt_is_not_read(recording, wav):
    careful = Wishes(prompt="Thank you for watching. " * 20, careful=True)
    heard = load("faster_whisper", Options(threads=2)).transcribe(wav, "en", wishes=careful)
    assert jiwer.wer(words(recording.text), words(heard.text)) <= 0.15
    assert "watching" not in heard.text


def test_each_segment_begins_when_its_voice_does(recording, wav):
    shares = []
    heard = load("faster_whisper", Options(threads=2)).transcribe(wav, progress=shares.append)
    for onset_ms in recording.onsets_ms:
        assert min(abs(segment.start_ms - onset_ms) for segment in heard.segments) <= 300
    assert shares == sorted(shares)
    assert shares[-1] <= 1
    assert {type(share) for share in shares} == {float}  # a number of numpy's is no JSON


@pytest.mark.parametrize("name", ["faster_whisper", "pocketsphinx"])
def test_a_language_that_the_model_does_not_know_is_refused(name, wav):
    with pytest.raises(TranscriberFailed, match="English only"):
        load(name, Options(threads=1)).transcribe(wav, "ja")


def test_silence_has_no_words(tmp_path):
    wav = recordings.write_wav(recordings.silence(20), tmp_path / "silence.wav")
    heard = load("faster_whisper", Options(threads=1)).transcribe(wav)
    assert (heard.text, heard.segments) == ("", ())


def test_another_model_under_the_same_name_is_refused(tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(bundled_model.find_bundled_model(), folder)
    bundled_model.check_model(folder)
    with (folder / "vocabulary.txt").open("a") as file:
        file.write("x")
    with pytest.raises(TranscriberFailed, match=r"vocabulary\.txt is not the one"):
        bundled_model.check_model(folder)
    (folder / "model.bin").unlink()
    with pytest.raises(TranscriberFailed, match=r"lacks model\.bin"):
        bundled_model.check_model(folder)


def test_an_unknown_transcriber_is_refused_with_the_names_there_are():
    with pytest.raises(UnknownTranscriber, match=NAMES[0]):
        load("dictaphone", Options())


def word(start_ms, end_ms, text):
    return Word(start_ms=start_ms, end_ms=end_ms, text=text)


def test_segments_end_at_pauses_and_at_ends_of_sentences_but_not_at_abbreviations():
    spoken = [
        word(0, 300, " And"), word(300, 600, " Mr."), word(760, 900, " John."),
        word(1200, 1400, " He"), word(2000, 2100, " was"),
    ]  # fmt: skip
    shown = [(s.start_ms, s.end_ms, s.text) for s in split_at_pauses(spoken)]
    assert shown == [(0, 900, "And Mr. John."), (1200, 1400, "He"), (2000, 2100, "was")]


# -- another server ------------------------------------------------------------

CONTRACT = {
    "text": "hello there", "time_ms": 5, "metadata": {"model": "m", "language": "en"},
    "segments": [{"start": "x", "end": "y", "start_ms": 10, "end_ms": 20, "text": "hello there"}],
}  # fmt: skip
OPENAI = {"text": "hi", "language": "en", "segments": [{"start": 0.5, "end": 1.25, "text": " hi"}]}


@pytest.fixture
def service():
    """A real HTTP server that answers what the test tells it to."""

    with Node() as one:
        yield one


def ask(service, wav, path="", status=200, body=b"", wishes=NOTHING_SPECIAL):
    service.status, service.body = status, body
    transcriber = load("http", Options(url=f"{service.url}{path}"))
    try:
        return transcriber.transcribe(wav, wishes=wishes)
    finally:
        transcriber.close()


def test_a_node_of_the_contract_is_asked_as_the_contract_says(service, wav):
    heard = ask(service, wav, body=json.dumps(CONTRACT).encode())
    assert (heard.text, heard.model, heard.segments[0].start_ms) == ("hello there", "m", 10)
    (asked,) = service.asked
    assert (asked["path"], asked["body"]) == ("/transcribe", wav.read_bytes())


def test_a_server_that_speaks_openais_api_is_understood(service, wav):
    heard = ask(service, wav, "/v1/audio/transcriptions", body=json.dumps(OPENAI).encode())
    assert [(s.start_ms, s.end_ms, s.text) for s in heard.segments] == [(500, 1250, "hi")]
    asked = service.asked[0]
    assert asked["path"] == "/v1/audio/transcriptions"
    assert b"verbose_json" in asked["body"]


@pytest.mark.parametrize("is_careful", [False, True])
def test_a_prompt_is_left_out_when_a_doubtful_text_is_to_be_bettered(service, wav, is_careful):
    wishes = Wishes(prompt="A novel by Austen.", careful=is_careful)
    ask(service, wav, "/v1/audio/transcriptions", body=json.dumps(OPENAI).encode(), wishes=wishes)
    assert (b"A novel by Austen." in service.asked[0]["body"]) != is_careful


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (500, b"Error: no model", "answered 500: Error: no model"),
        (200, b"<html>", "answered something else"),
        (200, b"[]", "answered something else"),
        (200, b'{"segments": []}', "answered something else"),
        (200, b"x" * 20_000_001, "far too much"),
    ],
)
def test_a_server_that_answers_anything_else_has_failed(service, wav, status, body, reason):
    with pytest.raises(TranscriberFailed, match=reason):
        ask(service, wav, status=status, body=body)


def test_a_server_that_is_not_there_has_failed(wav):
    transcriber = load("http", Options(url="http://127.0.0.1:9"))
    with pytest.raises(TranscriberFailed, match="does not answer"):
        transcriber.transcribe(wav)
    transcriber.close()
    with pytest.raises(TranscriberFailed, match="--url"):
        load("http", Options())
