"""The quality guard: what is doubtful about a result, and which of two is the better one.

The bounds are those by which whisper itself tries again (Radford et al., *Robust Speech
Recognition via Large-Scale Weak Supervision*, section 4.5, and the defaults of its
``transcribe``): ``compression_ratio_threshold`` 2.4, ``logprob_threshold`` -1.0 and
``no_speech_threshold`` 0.6, the last only together with the one before. Where an engine gives
no figures, the text alone is judged. A single weak line is marked; only a loop, or weakness
of a third of the text, is worth doing the chunk again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from orchard.domain import repetition
from orchard.domain.timeline import ChunkResult, Line

LOOP, COMPRESSION, IMPROBABLE = "loop", "compression", "improbable"
OVER_SILENCE, TOO_MUCH_TEXT = "over_silence", "too_much_text"
REASONS = (LOOP, COMPRESSION, IMPROBABLE, OVER_SILENCE, TOO_MUCH_TEXT)
"""Why a result is doubted, the worst first."""

COMPRESSION_MAX = 2.4
"""Whisper's ``compression_ratio_threshold``: what packs better says the same thing again."""
LOGPROB_MIN = -1.0
"""Whisper's ``logprob_threshold``: below, it holds its own words for improbable."""
NO_SPEECH_MAX = 0.6
"""Whisper's ``no_speech_threshold``: above, and improbable as well, nobody speaks."""
CHARS_PER_S_MAX = 35.0
"""More signs a second than anybody speaks, over a whole chunk: fast English has 25."""
FEWEST_CHARS = 200
"""Shorter texts are never too much."""
SHARE = 1 / 3
"""So much of a chunk's text has to be weak for the chunk to be doubted."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Which of two results counts."""

    result: ChunkResult
    """Its lines marked where they are doubtful."""
    doubts: tuple[str, ...]
    """What is still the matter with it."""
    is_first: bool


def judge(result: ChunkResult, duration_ms: int, speech_ms: int | None = None) -> tuple[str, ...]:
    """Why a chunk's result is doubtful, of ``REASONS``; empty when nothing is the matter.

    ``duration_ms`` is the length of the chunk, ``speech_ms`` how much of it is speech as
    far as that is known.
    """
    found = set(_of_text(result.text))
    if _is_too_much(result.text, duration_ms if speech_ms is None else speech_ms):
        found.add(TOO_MUCH_TEXT)
    found |= set(_of_lines(result.segments))
    return tuple(reason for reason in REASONS if reason in found)


def judge_line(line: Line) -> tuple[str, ...]:
    """Why a single line is doubtful: by its own figures, or by its text."""
    found = set(_of_text(line.text)) | set(_of_figures(line))
    return tuple(reason for reason in REASONS if reason in found)


def mark(result: ChunkResult, duration_ms: int, doubts: Sequence[str] = ()) -> ChunkResult:
    """The result with its doubtful lines marked.

    ``doubts`` are those of the chunk; one that no line shows by itself is said of all.
    """
    lines = result.segments
    if doubts and not lines:  # whoever gives no lines gives one, as long as the chunk
        lines = (Line(start_ms=0, end_ms=duration_ms, text=result.text),)
    own = [judge_line(line) for line in lines]
    if not doubts and not any(own):
        return result
    shown = {reason for each in own for reason in each}
    common = {reason for reason in doubts if reason not in shown}
    marked = tuple(
        msgspec.structs.replace(line, doubts=_in_order({*each} | common))
        for line, each in zip(lines, own, strict=True)
    )
    return msgspec.structs.replace(result, segments=marked)


def choose(
    first: ChunkResult, second: ChunkResult, duration_ms: int, speech_ms: int | None = None
) -> Choice:
    """The better of two results of one chunk; of equals the second, which was made with care."""
    doubts = [judge(each, duration_ms, speech_ms) for each in (first, second)]
    is_first = _weight(first, doubts[0]) < _weight(second, doubts[1])
    result, left = (first, doubts[0]) if is_first else (second, doubts[1])
    marked = mark(result, duration_ms, left)
    return Choice(result=marked, doubts=left, is_first=is_first)


def _weight(result: ChunkResult, doubts: Sequence[str]) -> tuple[int, int, float]:
    """How bad a result is. No text is better than a loop, or than one over silence, and worse
    than words that are improbable."""
    if not result.text.strip():
        return (1, 2, 0.0)
    is_loop = LOOP in doubts or COMPRESSION in doubts
    packed = repetition.packing(result.text) if doubts else 0.0
    return (2 if is_loop else min(1, len(doubts)), len(doubts), packed)


def _of_text(text: str) -> Iterator[str]:
    if repetition.has_loop(text):
        yield LOOP
    if repetition.packing(text) > COMPRESSION_MAX:
        yield COMPRESSION


def _of_figures(line: Line) -> Iterator[str]:
    packed, sure, silent = line.compression_ratio, line.avg_logprob, line.no_speech_prob
    if packed is not None and packed > COMPRESSION_MAX:
        yield COMPRESSION
    is_weak = sure is not None and sure < LOGPROB_MIN
    if is_weak:
        yield IMPROBABLE
    if silent is not None and silent > NO_SPEECH_MAX and (is_weak or sure is None):
        yield OVER_SILENCE


def _of_lines(lines: Sequence[Line]) -> Iterator[str]:
    """What is the matter with so much of the text that it is the matter with the chunk."""
    whole = sum(len(line.text) for line in lines)
    weak: dict[str, int] = {}
    for line in lines:
        for reason in _of_figures(line):
            weak[reason] = weak.get(reason, 0) + len(line.text)
    for reason, length in weak.items():
        if reason == COMPRESSION or length >= SHARE * whole > 0:
            yield reason


def _is_too_much(text: str, speech_ms: int) -> bool:
    shown = text[: repetition.JUDGED_CHARS].strip()
    if len(shown) < FEWEST_CHARS:
        return False
    return repetition.width(shown) > CHARS_PER_S_MAX * max(speech_ms, 1_000) / 1000


def _in_order(found: set[str]) -> tuple[str, ...]:
    return tuple(reason for reason in REASONS if reason in found)
