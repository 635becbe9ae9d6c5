"""Repetition: how much of a text is one phrase in a loop, by the text alone."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from operator import eq

JUDGED_CHARS = 6_000
"""So much of a text is looked at; three minutes of the fastest speech are less."""
WINDOW_CHARS = 400
"""A text is packed in windows of this length, which is about what whisper packs: half a minute
of speech. Longer texts pack better, whatever they say."""
FEWEST_CHARS = 60
"""Shorter texts say nothing by how well they pack."""
WORDS_REPEATED, CHARS_REPEATED = 16, 32
"""So many words (signs, where there are no spaces) in a row have to be one phrase again and
again. People say *no, no, no, no*; nobody says it sixteen times."""
FEWEST_TIMES = 4
LONGEST_WORDS, LONGEST_CHARS = 25, 40
"""The longest phrase that is looked for."""

_WORD = re.compile(r"\w+")
_SPACELESS = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")


def has_loop(text: str) -> bool:
    """Whether a phrase follows upon itself far more often than anybody speaks so."""
    plain = text[:JUDGED_CHARS].casefold()
    words = _WORD.findall(plain)
    if _is_spaceless(plain):
        signs = "".join(words)
        return _longest_run(signs, LONGEST_CHARS, CHARS_REPEATED) >= CHARS_REPEATED
    return _longest_run(words, LONGEST_WORDS, WORDS_REPEATED) >= WORDS_REPEATED


def packing(text: str) -> float:
    """How many times shorter the part becomes that packs best: whisper's measure.

    0 for a text that is too short to say.
    """
    return max(map(_packed, _windows(text[:JUDGED_CHARS])), default=0.0)


def width(text: str) -> int:
    """How long it takes to say a text, in signs of a narrow script; a wide one counts twice."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _is_spaceless(text: str) -> bool:
    if text.isascii():
        return False
    letters = [sign for sign in text[:WINDOW_CHARS] if sign.isalpha()]
    bare = sum(unicodedata.name(sign, "").startswith(_SPACELESS) for sign in letters)
    return bare * 2 > len(letters)


def _longest_run(units: Sequence[str], longest: int, fewest: int) -> int:
    """How many units in a row are one phrase, said at least ``FEWEST_TIMES``."""
    best = 0
    # In a run of so many all but the first phrase have come before.
    if len(units) - len(set(units)) < fewest * (1 - 1 / FEWEST_TIMES):
        return best
    for period in range(1, min(longest, len(units) // FEWEST_TIMES) + 1):
        alike = sum(map(eq, units[period:], units))
        if alike + period < max(fewest, period * FEWEST_TIMES):
            continue
        run = max(_runs(units, period), default=0) + period
        if run >= max(fewest, period * FEWEST_TIMES):
            best = max(best, run)
    return best


def _runs(units: Sequence[str], period: int) -> Iterator[int]:
    """The lengths of the stretches in which each unit is the one a period before."""
    length = 0
    for one, before in zip(units[period:], units, strict=False):
        if one == before:
            length += 1
        elif length:
            yield length
            length = 0
    yield length


def _windows(text: str) -> Iterator[str]:
    if len(text) < FEWEST_CHARS:
        return
    for start in range(0, max(1, len(text) - FEWEST_CHARS), WINDOW_CHARS // 2):
        yield text[start : start + WINDOW_CHARS]


def _packed(text: str) -> float:
    raw = text.encode(errors="replace")
    return len(raw) / len(zlib.compress(raw))
