"""What a push node answers to ``POST /transcribe``, believed only as far as it can be true."""

from __future__ import annotations

import math
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from orchard.domain.timeline import ChunkResult, Line, Word
from orchard.transcribers.spellings import read_figures, read_speaker, read_words

CHARS_PER_S = 500
"""More text than this in a second of sound is not speech."""
LEAST_CHARS = 5_000
SLACK_MS = 1_000
"""How far a time may lie outside its chunk and still be put down to rounding."""
WINDOW_MS = 30_000
"""Whisper hears in windows of this length, and may let the last line end with its window."""
MAX_LINES = 10_000
FACT_CHARS = 100

_Number = int | float


class _Segment(msgspec.Struct, frozen=True):
    start_ms: _Number
    end_ms: _Number
    text: str
    words: Any = None
    speaker: Any = None
    avg_logprob: Any = None
    no_speech_prob: Any = None
    compression_ratio: Any = None


class _Answer(msgspec.Struct, frozen=True):
    text: str
    segments: Annotated[list[_Segment], Meta(max_length=MAX_LINES)] = []
    metadata: dict[str, Any] = {}


_decoder = msgspec.json.Decoder(_Answer)


class Nonsense(Exception):
    """An answer that cannot be true, or is none."""


def read_answer(raw: bytes, *, duration_ms: int, time_ms: int) -> ChunkResult:
    """The result in a node's answer; ``time_ms`` is what it really took.

    Raises:
        Nonsense: it is not of the contract's form, or says what cannot be.
    """
    try:
        answer = _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as fault:
        raise Nonsense(f"its answer is not what a node answers: {fault}") from None
    _check_text(answer, duration_ms)
    lines = tuple(_line(one, duration_ms) for one in answer.segments)
    return ChunkResult(
        text=answer.text, time_ms=time_ms, segments=lines, metadata=_facts(answer.metadata)
    )


def _check_text(answer: _Answer, duration_ms: int) -> None:
    most = max(LEAST_CHARS, CHARS_PER_S * duration_ms // 1000)
    for said in (answer.text, *(one.text for one in answer.segments)):
        if "\0" in said:
            raise Nonsense("its text has NUL characters")
    if max(len(answer.text), sum(len(one.text) for one in answer.segments)) > most:
        raise Nonsense(f"it heard more than can be said: over {most} characters")


def _line(given: _Segment, duration_ms: int) -> Line:
    start, end = given.start_ms, given.end_ms
    if not (math.isfinite(start) and math.isfinite(end)):
        raise Nonsense("its times are not finite")
    latest = math.ceil(duration_ms / WINDOW_MS) * WINDOW_MS + SLACK_MS
    if not -SLACK_MS <= start <= end <= latest or start > duration_ms + SLACK_MS:
        raise Nonsense(
            f"it heard something outside the chunk: {start:g} to {end:g} of {duration_ms} ms"
        )
    first = min(max(round(start), 0), duration_ms)
    return Line(
        start_ms=first, end_ms=max(first, min(round(end), duration_ms)), text=given.text,
        **_details(given),
    )  # fmt: skip


def _details(given: _Segment) -> dict[str, Any]:
    """What a node may tell besides; of what cannot be read, nothing is kept."""
    told = msgspec.structs.asdict(given)
    words = tuple(msgspec.convert(read_words(told["words"]), list[Word], from_attributes=True))
    facts = {"words": words, "speaker": read_speaker(told), **read_figures(told)}
    return {name: value for name, value in facts.items() if value or value == 0}


def _facts(told: dict[str, Any]) -> dict[str, Any]:
    """What is kept of its metadata."""
    known = ((name, told.get(name)) for name in ("model", "language"))
    return {
        name: value[:FACT_CHARS].replace("\0", "")
        for name, value in known
        if isinstance(value, str)
    }
