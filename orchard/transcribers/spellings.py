"""Words, speakers and figures as other programs spell them: in milliseconds or in seconds.

Whoever sends something else than a number, or none, sends nothing: the text is what counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from orchard.transcribers.base import Word

WORDS_MAX = 10_000
"""Most words of one segment that are looked at."""
WORD_MAX_CHARS = 200
SPEAKER_MAX_CHARS = 100
_LATEST_MS = 2**40


def read_words(given: Any) -> tuple[Word, ...]:
    """The words of a segment in order; none when one of them cannot be read."""
    if not isinstance(given, list) or len(given) > WORDS_MAX:
        return ()
    words = [_word(one) for one in given]
    read = [word for word in words if word is not None]
    return tuple(read) if len(read) == len(words) else ()


def read_figures(given: Mapping[str, Any]) -> dict[str, float]:
    """How sure a segment is, as whisper says it."""
    names = ("avg_logprob", "no_speech_prob", "compression_ratio")
    return {name: number for name in names if (number := _number(given, name)) is not None}


def read_speaker(given: Mapping[str, Any]) -> str:
    """Who says a segment; empty when nobody is named."""
    told = given.get("speaker")
    return " ".join(str(told).split())[:SPEAKER_MAX_CHARS] if isinstance(told, str | int) else ""


def share_out(words: Iterable[Any], starts: Sequence[float]) -> list[list[Any]]:
    """OpenAI's words (seconds, all in one list) by the segments in whose time they begin."""
    rest = [one for one in words if isinstance(one, dict) and _number(one, "start") is not None]
    shared: list[list[Any]] = []
    for following in [*starts[1:], math.inf]:
        shared.append([one for one in rest if one["start"] < following])
        rest = rest[len(shared[-1]) :]
    return shared


def _word(given: Any) -> Word | None:
    if not isinstance(given, dict):
        return None
    start, end = _ms(given, "start"), _ms(given, "end")
    text = given.get("text", given.get("word"))
    if start is None or end is None or end < start or not isinstance(text, str):
        return None
    sure = _number(given, "confidence", "probability", "score")
    return Word(
        start_ms=start, end_ms=end, text=text.replace("\0", "")[:WORD_MAX_CHARS],
        confidence=None if sure is None else round(min(max(sure, 0.0), 1.0), 3),
    )  # fmt: skip


def _ms(given: Mapping[str, Any], name: str) -> int | None:
    ms = _number(given, f"{name}_ms")
    if ms is None and (seconds := _number(given, name)) is not None:
        ms = seconds * 1000
    return round(ms) if ms is not None and 0 <= ms <= _LATEST_MS else None


def _number(given: Mapping[str, Any], *names: str) -> float | None:
    for name in names:
        value = given.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value) if math.isfinite(value) else None
    return None
