"""What transcripts are made of, as pages show it: languages, speakers, words that are unsure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import get_language_info

from orchard.domain.languages import NAMES, name_of
from orchard.domain.timeline import Line

DOUBTFUL = 0.5
"""A word is marked whose transcriber was less sure of it."""


@dataclass(frozen=True)
class Piece:
    """A part of a line's text."""

    text: str
    percent: int | None = None
    """How sure the transcriber was, where that is not sure enough; else nothing."""


def pieces_of(line: Line, text: str) -> list[Piece]:
    """The text of a line, words that are unsure apart; together the pieces are the text."""
    pieces, at = [], 0
    for word, sure in _doubtful(line):
        found = text.find(word, at)
        if found < 0:
            return [Piece(text)]
        if found > at:
            pieces.append(Piece(text[at:found]))
        at = found + len(word)
        if sure is not None:
            pieces.append(Piece(text[found:at], sure))
        else:
            pieces.append(Piece(text[found:at]))
    return _joined([*pieces, Piece(text[at:])])


def language_name(code: str) -> str:
    """What a language is called in the viewer's own; its code when nobody knows."""
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return name_of(code).title() or code


def language_choices() -> list[tuple[str, str]]:
    """The languages that a sender may choose, in the order of their names."""
    return sorted(((code, language_name(code)) for code in NAMES), key=lambda pair: pair[1])


def _doubtful(line: Line) -> Iterator[tuple[str, int | None]]:
    """Each word, with how sure its transcriber was in percent where that is not enough."""
    for word in line.words:
        sure = word.confidence
        if bare := word.text.strip():
            yield bare, None if sure is None or sure >= DOUBTFUL else max(0, round(100 * sure))


def _joined(pieces: list[Piece]) -> list[Piece]:
    """The pieces, those without a mark put together."""
    joined: list[Piece] = []
    for piece in pieces:
        if joined and piece.percent is None and joined[-1].percent is None:
            joined[-1] = Piece(joined[-1].text + piece.text)
        elif piece.text:
            joined.append(piece)
    return joined
