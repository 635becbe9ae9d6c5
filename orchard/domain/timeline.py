"""The timeline of a recording: where it may be cut, and how its pieces are joined again.

Times are whole milliseconds from the start of the recording as it was uploaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from orchard.domain.languages import code_of

FRAME_MS = 32
"""Length of one frame of the voice-activity detector, and of one loudness value."""
MARGIN_MS = 300
"""Silence that a chunk keeps before and after its speech, so that no word is clipped."""
SHORTEST_MS, LONGEST_MS = 30_000, 60_000
"""A chunk ends in the longest pause between these two lengths."""
FORCED_MS, SEARCH_MS = 180_000, 15_000
"""Speech without a pause is cut at this length, where it is quietest in the time before."""
PAUSE_MS = 200
"""The shortest silence to cut in; anything shorter may lie inside a word."""
SLACK_MS = 1_000
"""So far a time may lie outside its chunk and still be put down to rounding."""
DROPPED_MS = 10_000
"""A silence of this length always ends a chunk; nobody has to listen to it."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the recording, from ``start_ms`` up to but not including ``end_ms``."""

    start_ms: int
    end_ms: int

    @property
    def duration_ms(self) -> int:
        """Its length in milliseconds."""
        return self.end_ms - self.start_ms


class Word(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One word as a transcriber heard it."""

    start_ms: int
    end_ms: int
    text: str
    confidence: float | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A phrase or sentence with its times, and how its transcriber came by it."""

    start_ms: int
    end_ms: int
    text: str
    words: tuple[Word, ...] = ()
    speaker: str = ""
    """Who says it, where a transcriber tells speakers apart."""
    avg_logprob: float | None = None
    """How sure the transcriber is of its words: 0 for entirely, the less the less."""
    no_speech_prob: float | None = None
    """How probable it holds that nobody speaks there (0 to 1)."""
    compression_ratio: float | None = None
    """How much shorter the text becomes by packing; more than 2.4 is a loop."""
    doubts: tuple[str, ...] = ()
    """Why the quality guard doubts it (:mod:`orchard.domain.quality`)."""


class ChunkResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a worker heard in one chunk; its times count from the start of the chunk."""

    text: str
    time_ms: int
    """How long the worker took."""
    segments: tuple[Line, ...] = ()
    metadata: dict[str, Any] = {}


class Transcript(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was said, line by line, on the timeline of the recording."""

    segments: tuple[Line, ...] = ()
    language: str = ""
    """The code of what was spoken for the most part, as far as it was recognized."""

    @property
    def text(self) -> str:
        """All that was said, without the times."""
        return " ".join(line.text for line in self.segments)


def plan_cuts(
    regions: Sequence[Span], duration_ms: int, loudness: Sequence[int] = ()
) -> tuple[Span, ...]:
    """Divide a recording into chunks so that every speech region is in exactly one of them.

    A chunk ends in the middle of the longest pause of at least 0.2 s between
    30 and 60 s after its speech began, or else in the first such pause after that. Speech
    without a pause is cut after 180 s at the latest, where it is quietest. Silence
    is left out but for a margin; without speech there are no chunks.

    ``regions`` are in order and apart from each other, within ``duration_ms``;
    ``loudness`` has a value for each ``FRAME_MS``.
    """
    spans: list[Span] = []
    floor, rest = 0, list(reversed(regions))
    while rest:
        group, ceiling = _take_group(rest, loudness)
        start = max(floor, group[0].start_ms - MARGIN_MS)
        end = min(ceiling, group[-1].end_ms + MARGIN_MS, duration_ms)
        spans.append(Span(start_ms=start, end_ms=end))
        floor = ceiling
    return tuple(spans)


def join(results: Iterable[tuple[Span, ChunkResult]]) -> Transcript:
    """Put what was heard in each chunk at its place in the recording, in order of time.

    No line leaves its chunk, so nothing is said twice at a cut; chunks without
    a result yet are simply missing.
    """
    ordered = sorted(results, key=lambda pair: pair[0].start_ms)
    return Transcript(
        segments=tuple(line for pair in ordered for line in _place(*pair)),
        language=_main_language(ordered),
    )


def _main_language(heard: Iterable[tuple[Span, ChunkResult]]) -> str:
    """What was spoken for the longest time, as the transcribers recognized it."""
    lengths: dict[str, int] = {}
    for span, result in heard:
        if code := code_of(result.metadata.get("language")):
            lengths[code] = lengths.get(code, 0) + span.duration_ms
    return max(lengths, key=lengths.__getitem__, default="")


def _take_group(rest: list[Span], loudness: Sequence[int]) -> tuple[list[Span], int]:
    """Take the regions of the next chunk from the end of ``rest``; also, where it must end."""
    last = _choose_last(rest)
    if last is None:
        return _force_cut(rest, loudness)
    group = [rest.pop() for _ in range(last + 1)]
    if not rest:
        return group, group[-1].end_ms + MARGIN_MS
    return group, (group[-1].end_ms + rest[-1].start_ms) // 2


def _choose_last(rest: Sequence[Span]) -> int | None:
    """How many regions after the next one belong to its chunk; ``None`` when a cut is forced."""
    begin = rest[-1].start_ms
    best, best_pause = None, PAUSE_MS - 1
    for index, (region, following) in enumerate(pairwise(reversed(rest))):
        pause, length = following.start_ms - region.end_ms, region.end_ms - begin
        if length > LONGEST_MS and best is not None:
            return best
        if length > FORCED_MS:
            return None
        if pause >= DROPPED_MS or (pause >= PAUSE_MS and length > LONGEST_MS):
            return index
        if length >= SHORTEST_MS and pause > best_pause:
            best, best_pause = index, pause
    length = rest[0].end_ms - begin
    if length > LONGEST_MS and best is not None:
        return best
    return len(rest) - 1 if length <= FORCED_MS else None


def _force_cut(rest: list[Span], loudness: Sequence[int]) -> tuple[list[Span], int]:
    """Cut speech that has no pause, where it is quietest; the rest begins at the cut."""
    at = _quietest(rest[-1].start_ms + FORCED_MS, loudness)
    group = []
    while rest and rest[-1].start_ms < at:
        group.append(rest.pop())
    if group[-1].end_ms > at:
        rest.append(Span(start_ms=at, end_ms=group[-1].end_ms))
        group[-1] = Span(start_ms=group[-1].start_ms, end_ms=at)
    return group, at


def _quietest(latest_ms: int, loudness: Sequence[int]) -> int:
    frames = range((latest_ms - SEARCH_MS) // FRAME_MS + 1, latest_ms // FRAME_MS)
    known = [frame for frame in frames if frame < len(loudness)]
    if not known:
        return latest_ms
    return min(known, key=loudness.__getitem__) * FRAME_MS + FRAME_MS // 2


def _place(span: Span, result: ChunkResult) -> Iterator[Line]:
    """The lines of one chunk on the timeline of the recording."""
    whole = Line(start_ms=0, end_ms=span.duration_ms, text=result.text)
    spoken = [line for line in result.segments or (whole,) if line.text.strip()]
    placed = sorted((_shift(line, span) for line in spoken), key=lambda line: line.start_ms)
    limits = [line.start_ms for line in placed[1:]] + [span.end_ms]
    for line, limit in zip(placed, limits, strict=False):
        # A transcriber may let lines overlap; onsets are what it hears best, so these stay.
        yield msgspec.structs.replace(line, end_ms=min(line.end_ms, limit))


def _shift(line: Line, span: Span) -> Line:
    start, end = _clamp(line, span)
    latest = span.duration_ms + SLACK_MS
    # Times from elsewhere are of no use for any word of the line; its text may be right.
    fits = all(word.start_ms <= min(word.end_ms, latest) for word in line.words)
    words = tuple(_shift_word(word, span) for word in line.words) if fits else ()
    return msgspec.structs.replace(
        line, start_ms=start, end_ms=end, text=line.text.strip(), words=words
    )


def _shift_word(word: Word, span: Span) -> Word:
    start, end = _clamp(word, span)
    return msgspec.structs.replace(word, start_ms=start, end_ms=end)


def _clamp(heard: Line | Word, span: Span) -> tuple[int, int]:
    start = min(max(span.start_ms + heard.start_ms, span.start_ms), span.end_ms)
    end = min(max(span.start_ms + heard.end_ms, start), span.end_ms)
    return start, end
