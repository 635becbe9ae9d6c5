"""Text of captions: how wide it is, where it may be broken, and into which lines."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import msgspec

_SENTENCE = tuple(".!?…。！？")
_CLAUSE = tuple(",;:、，；：–—")
_CLOSING = "、。，．！？）」』】〉》〕］｝”’…ーっゃゅょッャュョ々゛゜"
_OPENING = "（「『【〈《〔［｛“‘"
_QUOTES = "\"'”’)]}」』）"
_PIECE = re.compile(r"\S+")


class Atom(msgspec.Struct, frozen=True, kw_only=True):
    """The smallest piece of a text that stays together, and when it is said."""

    text: str
    start_ms: int
    end_ms: int
    is_apart: bool
    """Whether there is a space before it."""


def columns(text: str) -> int:
    """How wide a text is: two columns for a full-width character, none for what combines."""
    return sum(_columns_of(char) for char in text)


def is_wide(text: str) -> bool:
    """Whether most of a text is of full-width characters, as Japanese is."""
    return columns(text) > 1.5 * len(text.replace(" ", ""))


def split_text(text: str, most_columns: int) -> Iterator[tuple[str, bool]]:
    """The pieces of a text that must not be broken, each with whether a space is before it.

    They are words, and in scripts without spaces single characters, except that no line
    begins with a closing bracket or a comma. What is wider than a line is broken.
    """
    for piece in _PIECE.findall(text):
        is_apart = True
        for part in _split_wide(piece):
            for some in _cut(part, most_columns):
                yield some, is_apart
                is_apart = False


def join_atoms(atoms: Iterable[Atom]) -> str:
    """The text of atoms on one line."""
    return "".join(f" {atom.text}" if atom.is_apart else atom.text for atom in atoms).lstrip(" ")


def count_fitting(atoms: Sequence[Atom], most_columns: int, most_lines: int) -> int:
    """How many of the atoms, from the first on, fit into so many lines."""
    lines, width = 1, 0
    for count, atom in enumerate(atoms):
        own = columns(atom.text)
        width += own + (atom.is_apart and width > 0)
        if width > most_columns:
            lines, width = lines + 1, own
        if lines > most_lines:
            return count
    return len(atoms)


def lay_out(atoms: Sequence[Atom], most_columns: int) -> tuple[str, ...]:
    """The lines of a caption whose atoms fit into two.

    One line if that is enough; else two of about the same length, broken behind a punctuation
    mark where there is one, the longer line below.
    """
    whole = join_atoms(atoms)
    if columns(whole) <= most_columns:
        return (whole,)
    pairs = [(join_atoms(atoms[:at]), join_atoms(atoms[at:])) for at in range(1, len(atoms))]
    fitting = [pair for pair in pairs if max(map(columns, pair)) <= most_columns]
    return min(fitting, key=_badness)


def break_value(atom: Atom) -> int:
    """How good it is to break behind this piece: 3 after a sentence, 2 after a clause, else 0."""
    bare = atom.text.rstrip(_QUOTES)
    return 3 if bare.endswith(_SENTENCE) else 2 if bare.endswith(_CLAUSE) else 0


def _badness(pair: tuple[str, str]) -> float:
    upper, lower = map(columns, pair)
    bare = pair[0].rstrip(_QUOTES)
    gain = 12 if bare.endswith(_SENTENCE) else 8 if bare.endswith(_CLAUSE) else 0
    return abs(lower - upper) + (3 if upper > lower else 0) - gain


def _split_wide(piece: str) -> Iterator[str]:
    """A piece without spaces: its full-width characters one by one, the others together."""
    part = ""
    for char in piece:
        follows = not part or char in _CLOSING or part[-1] in _OPENING
        narrow = _columns_of(char) != 2 and _columns_of(part[-1:]) != 2
        if follows or narrow or not _columns_of(char):
            part += char
        else:
            yield part
            part = char
    if part:
        yield part


def _cut(part: str, most_columns: int) -> Iterator[str]:
    """A part in pieces that fit on a line."""
    piece, width = "", 0
    for char in part:
        if piece and width + _columns_of(char) > most_columns:
            yield piece
            piece, width = "", 0
        piece, width = piece + char, width + _columns_of(char)
    if piece:
        yield piece


@lru_cache(4096)
def _columns_of(char: str) -> int:
    if not char or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
