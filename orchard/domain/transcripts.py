"""Transcripts as others read them: the contract's result, and text, SRT, WebVTT and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import msgspec

from orchard.domain.jobs import Result, Segment
from orchard.domain.timeline import Line, Transcript

CONTENT_TYPES: Mapping[str, str] = {
    "json": "application/json",
    "txt": "text/plain; charset=utf-8",
    "srt": "application/x-subrip; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
}
"""The formats there are, each with its content type."""


def make_result(transcript: Transcript, time_ms: int, max_bytes: int) -> Result:
    """The result in the shape of the contract; without text and segments when they are long.

    ``time_ms`` is what the workers took in all; ``max_bytes`` is how much JSON
    the job's record may carry.
    """
    whole = _whole_result(transcript, time_ms)
    if len(msgspec.json.encode(whole)) <= max_bytes:
        return whole
    return msgspec.structs.replace(whole, text=None, segments=None)


def with_text(result: Result, transcript: Transcript) -> Result:
    """A result with the text and segments that its record left out."""
    return _whole_result(transcript, result.total_processing_time_ms)


def render(transcript: Transcript, form: str, *, time_ms: int = 0, partial: bool = False) -> str:
    """The transcript in one of ``CONTENT_TYPES``; ``partial`` says that more is to come.

    Raises:
        KeyError: there is no such format.
    """
    if form == "json":
        return to_json(transcript, time_ms=time_ms, partial=partial)
    return {"txt": to_txt, "srt": to_srt, "vtt": to_vtt}[form](transcript)


def to_json(transcript: Transcript, *, time_ms: int = 0, partial: bool = False) -> str:
    """The contract's result as JSON, with ``partial`` when more is to come."""
    shape = msgspec.to_builtins(_whole_result(transcript, time_ms))
    return msgspec.json.encode(shape | ({"partial": True} if partial else {})).decode()


def to_txt(transcript: Transcript) -> str:
    """One line of text for each segment."""
    return "".join(f"{_one_line(line.text)}\n" for line in _spoken(transcript))


def to_srt(transcript: Transcript) -> str:
    """SubRip subtitles: numbered blocks, a comma before the milliseconds."""
    return "".join(
        f"{number}\n{_timing(line, ',')}\n{_arrowless(line.text)}\n\n"
        for number, line in enumerate(_spoken(transcript), 1)
    )


def to_vtt(transcript: Transcript) -> str:
    """WebVTT subtitles, with the characters escaped that mean something there."""
    cues = [
        f"\n{_timing(line, '.')}\n{escape(_one_line(line.text), quote=False)}\n"
        for line in _spoken(transcript)
    ]
    return "WEBVTT\n" + "".join(cues)


def timestamp(ms: int, point: str = ".") -> str:
    """``HH:MM:SS.mmm``; the hours go on beyond 24, and beyond 99."""
    seconds, rest = divmod(ms, 1000)
    minutes, hours = seconds // 60 % 60, seconds // 3600
    return f"{hours:02}:{minutes:02}:{seconds % 60:02}{point}{rest:03}"


def _whole_result(transcript: Transcript, time_ms: int) -> Result:
    segments = tuple(
        Segment(
            start=timestamp(line.start_ms),
            end=timestamp(line.end_ms),
            start_ms=line.start_ms,
            end_ms=line.end_ms,
            text=line.text,
        )
        for line in transcript.segments
    )
    return Result(
        segments_count=len(segments), total_processing_time_ms=time_ms, text=transcript.text,
        segments=segments,
    )  # fmt: skip


def _spoken(transcript: Transcript) -> list[Line]:
    # A cue without text would end its own block too early.
    return [line for line in transcript.segments if _one_line(line.text)]


def _timing(line: Line, point: str) -> str:
    # WebVTT wants an end after the start, and players skip SRT blocks without a length.
    end = max(line.end_ms, line.start_ms + 1)
    return f"{timestamp(line.start_ms, point)} --> {timestamp(end, point)}"


def _one_line(text: str) -> str:
    # A blank line ends a block, so line breaks of any kind become spaces.
    return " ".join(text.replace("\0", "").split())


def _arrowless(text: str) -> str:
    # SRT knows no escapes; an arrow in the text would be read as a line of times.
    return _one_line(text).replace("-->", "->")
