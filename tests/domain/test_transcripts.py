"""Transcripts are valid in each of their formats, whatever was said."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchard.domain.jobs import Result
from orchard.domain.timeline import Line, Transcript
from orchard.domain.transcripts import (
    CONTENT_TYPES,
    make_result,
    render,
    timestamp,
    to_srt,
    to_vtt,
    with_text,
)


def said(*lines: tuple[int, int, str]) -> Transcript:
    return Transcript(segments=tuple(Line(start_ms=a, end_ms=b, text=t) for a, b, t in lines))


HELLO = said((500, 1_500, "Hello"), (90_061_001, 90_062_000, "a < b & c --> d"))
EMPTY = Transcript()
TRANSCRIPTS = st.lists(
    st.builds(
        Line, start_ms=st.integers(0, 10**9), end_ms=st.integers(0, 10**9), text=st.text(min_size=1)
    )
).map(lambda lines: Transcript(segments=tuple(lines)))


def test_the_result_has_the_shape_of_the_contract():
    result = msgspec.to_builtins(make_result(HELLO, 1234, 10_000))
    assert result["text"] == "Hello a < b & c --> d"
    assert (result["segments_count"], result["total_processing_time_ms"]) == (2, 1234)
    assert result["segments"][0] == {
        "start": "00:00:00.500", "end": "00:00:01.500", "start_ms": 500, "end_ms": 1500,
        "text": "Hello",
    }  # fmt: skip


def test_a_long_result_leaves_its_text_to_storage_and_gets_it_back():
    short = make_result(HELLO, 7, 50)
    assert short == Result(segments_count=2, total_processing_time_ms=7)
    assert with_text(short, HELLO) == make_result(HELLO, 7, 10_000)


def test_subrip_has_numbers_commas_and_no_arrow_in_the_text():
    assert to_srt(HELLO) == (
        "1\n00:00:00,500 --> 00:00:01,500\nHello\n\n"
        "2\n25:01:01,001 --> 25:01:02,000\na < b & c -> d\n\n"
    )


def test_webvtt_has_its_header_and_escapes():
    assert to_vtt(HELLO) == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:01.500\nHello\n"
        "\n25:01:01.001 --> 25:01:02.000\na &lt; b &amp; c --&gt; d\n"
    )


def test_plain_text_is_a_line_for_each_segment():
    assert render(HELLO, "txt") == "Hello\na < b & c --> d\n"


def test_json_says_when_more_is_to_come():
    assert msgspec.json.decode(render(HELLO, "json", partial=True))["partial"] is True
    assert "partial" not in msgspec.json.decode(render(HELLO, "json"))


@pytest.mark.parametrize(("form", "empty"), [("txt", ""), ("srt", ""), ("vtt", "WEBVTT\n")])
def test_an_empty_transcript_is_valid(form, empty):
    assert render(EMPTY, form) == empty


def test_an_empty_transcript_is_valid_json():
    shape = msgspec.json.decode(render(EMPTY, "json"))
    assert (shape["text"], shape["segments"], shape["segments_count"]) == ("", [], 0)


def test_an_unknown_format_is_an_error():
    with pytest.raises(KeyError):
        render(EMPTY, "docx")


@pytest.mark.parametrize(
    ("ms", "text"),
    [(0, "00:00:00.000"), (86_399_999, "23:59:59.999"), (360_000_000, "100:00:00.000")],
)
def test_hours_go_on_beyond_a_day(ms, text):
    assert timestamp(ms) == text


def count_spoken(transcript):
    return sum(bool(line.text.replace("\0", "").strip()) for line in transcript.segments)


@given(TRANSCRIPTS)
def test_subrip_blocks_hold_whatever_is_said(transcript):
    """No text can end a block early or pass for a line of times."""
    blocks = to_srt(transcript).split("\n\n")[:-1]
    assert len(blocks) == count_spoken(transcript)
    assert all(block.count("\n") == 2 and block.count("-->") == 1 for block in blocks)


@given(TRANSCRIPTS)
def test_webvtt_cues_hold_whatever_is_said(transcript):
    """Each cue is one line of times, which never stand still, and one of text."""
    cues = to_vtt(transcript).split("\n\n")[1:]
    assert len(cues) == count_spoken(transcript)
    for cue in cues:
        assert cue.count("-->") == 1
        start, end = re.match(r"(\S+) --> (\S+)\n", cue).groups()
        assert (len(start), start) < (len(end), end)


@given(TRANSCRIPTS, st.sampled_from(sorted(CONTENT_TYPES)))
def test_every_format_can_be_written_as_utf8(transcript, form):
    assert isinstance(render(transcript, form).encode(), bytes)
