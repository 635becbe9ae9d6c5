"""Transcripts as others read them: the contract's result, and text, SRT, WebVTT and JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import msgspec

from orchard.domain.captions import Cue, Rules, arrange
from orchard.domain.jobs import Result, Segment
from orchard.domain.timeline import Line, Transcript, Word

CONTENT_TYPES: Mapping[str, str] = {
    "json": "application/json",
    "txt": "text/plain; charset=utf-8",
    "srt": "application/x-subrip; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
}
"""The formats there are, each with its content type."""

CAPTIONED = ("srt", "vtt")
"""Those that are subtitles."""

FIGURES = ("avg_logprob", "no_speech_prob", "compression_ratio")
"""By their names, how sure a transcriber is of a line."""


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


def render(
    transcript: Transcript, form: str, *, time_ms: int = 0, partial: bool = False,
    words: bool = False, rules: Rules | None = None,
) -> str:  # fmt: skip
    """The transcript in one of ``CONTENT_TYPES``; ``partial`` says that more is to come.

    With ``rules`` subtitles are divided and joined as these want it.

    Raises:
        KeyError: there is no such format.
    """
    if rules and form in CAPTIONED:
        return {"srt": caption_srt, "vtt": caption_vtt}[form](arrange(transcript, rules))
    if form == "json":
        return to_json(transcript, time_ms=time_ms, partial=partial, words=words)
    return {"txt": to_txt, "srt": to_srt, "vtt": to_vtt}[form](transcript)


def to_json(
    transcript: Transcript, *, time_ms: int = 0, partial: bool = False, words: bool = False
) -> str:
    """The contract's result as JSON, with ``partial`` when more is to come.

    With ``words`` each line has its words, and how sure its transcriber was.
    """
    shape = msgspec.to_builtins(_whole_result(transcript, time_ms))
    if words:
        lines = zip(shape["segments"], transcript.segments, strict=True)
        shape["segments"] = [plain | _details(line) for plain, line in lines]
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
        f"\n{_timing(line, '.')}\n{_voice(line)}{escape(_one_line(line.text), quote=False)}\n"
        for line in _spoken(transcript)
    ]
    return "WEBVTT\n" + "".join(cues)


def caption_srt(cues: Sequence[Cue]) -> str:
    """Arranged captions as SubRip."""
    blocks = []
    for number, cue in enumerate(cues, 1):
        text = "\n".join(map(_arrowless, cue.lines))
        blocks.append(f"{number}\n{_timing(cue, ',')}\n{text}\n\n")
    return "".join(blocks)


def caption_vtt(cues: Sequence[Cue]) -> str:
    """Arranged captions as WebVTT."""
    blocks = []
    for cue in cues:
        text = escape("\n".join(cue.lines), quote=False)
        blocks.append(f"\n{_timing(cue, '.')}\n{_voice(cue)}{text}\n")
    return "WEBVTT\n" + "".join(blocks)


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
            speaker=line.speaker,
            doubts=line.doubts,
        )
        for line in transcript.segments
    )
    return Result(
        segments_count=len(segments), total_processing_time_ms=time_ms, text=transcript.text,
        segments=segments, language=transcript.language or msgspec.UNSET,
    )  # fmt: skip


def _details(line: Line) -> dict[str, Any]:
    """What a transcriber told of a line besides its text: words, and how sure it is."""
    told = {"words": [_word(word) for word in line.words]} if line.words else {}
    figures = ((name, getattr(line, name)) for name in FIGURES)
    return told | {name: value for name, value in figures if value is not None}


def _word(word: Word) -> dict[str, Any]:
    shape: dict[str, Any] = msgspec.to_builtins(word)
    return shape | {"text": _one_line(word.text)}


def _voice(line: Line | Cue) -> str:
    """WebVTT's mark of who speaks, which must not end early."""
    name = _one_line(line.speaker).replace("-->", "->")
    return f"<v {escape(name, quote=False)}>" if name else ""


def _spoken(transcript: Transcript) -> list[Line]:
    # A cue without text would end its own block too early.
    return [line for line in transcript.segments if _one_line(line.text)]


def _timing(line: Line | Cue, point: str) -> str:
    # WebVTT wants an end after the start, and players skip SRT blocks without a length.
    end = max(line.end_ms, line.start_ms + 1)
    return f"{timestamp(line.start_ms, point)} --> {timestamp(end, point)}"


def _one_line(text: str) -> str:
    # A blank line ends a block, so line breaks of any kind become spaces.
    return " ".join(text.replace("\0", "").split())


def _arrowless(text: str) -> str:
    # SRT knows no escapes; an arrow in the text would be read as a line of times.
    return _one_line(text).replace("-->", "->")
