"""Vectors: cursors over a stream that has a part in each partition.

A vector holds one position for each part, with ``~`` between them. A single
position stands for a moment: each part begins with its first entry after it.
"""

from __future__ import annotations

from collections.abc import Sequence

from statecore.store.checks import Position
from statecore.store.checks import cursor as parse_position
from statecore.store.errors import BadCursor

MARK = "~"
START = "."
"""Stands before the first entry of a part of which nothing has been read yet."""
Place = tuple[int, int, int]
"""Where an entry stands among those of all parts: its time in ms, its number, its part."""


def parse_vector(text: str, count: int) -> list[str]:
    """The position in each of ``count`` parts.

    Raises:
        BadCursor: it has another number of parts, or one that is no position.
    """
    if text in ("", "$"):
        return [text] * count
    parts = text.split(MARK)
    if len(parts) not in (1, count):
        raise BadCursor(f"A cursor of {len(parts)} parts where there are {count}")
    for part in parts:
        parse_position(part.removeprefix(START))
    return parts * count if len(parts) == 1 else parts


def make_vector(positions: Sequence[str]) -> str:
    """A cursor of these positions; ``""`` is the start of a part."""
    return MARK.join(positions)


def place_of(cursor: str) -> Place:
    """Where the entry stands that was given out with this cursor: its latest position.

    Raises:
        BadCursor: it is no cursor.
    """
    parts = cursor.split(MARK)
    return max((*_position(part), number) for number, part in enumerate(parts))


def entry_place(entry_id: str, part: int) -> Place:
    """Where an entry of one part stands among those of all parts."""
    return (*_position(entry_id), part)


def is_later(one: str, other: str) -> bool:
    """Whether a position in a part is after another one."""
    return _position(one) > _position(other)


def start_at(entry_id: str) -> str:
    """The position before the first entry of a part, as long as this is its first."""
    return START + entry_id


def is_start(position: str) -> bool:
    """Whether nothing of a part has been read yet."""
    return not position or position.startswith(START)


def _position(text: str) -> Position:
    return parse_position("" if is_start(text) else text)
