"""Sorted sets and streams of the memory store."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort

from statecore.store.checks import Position, decode, encode
from statecore.store.ops import Tailed

TRIM_SLACK = 100
"""Entries a stream may hold over its bound: trimming one by one would cost more."""


class SortedMembers:
    """Members in the order of score, then of the member's bytes."""

    def __init__(self) -> None:
        self.scores: dict[str, float] = {}
        self._order: list[tuple[float, bytes]] = []

    def __len__(self) -> int:
        return len(self.scores)

    def add(self, member: str, score: float) -> None:
        """Put a member in, or change its score."""
        raw = encode(member)
        self.remove(member)
        self.scores[member] = score
        insort(self._order, (score, raw))

    def remove(self, member: str) -> None:
        """Take a member out, if it is in."""
        if member in self.scores:
            entry = (self.scores.pop(member), encode(member))
            del self._order[bisect_left(self._order, entry)]

    def bounds(self, low: float, high: float) -> tuple[int, int]:
        """The ranks from the first score ≥ ``low`` to behind the last one ≤ ``high``."""
        first = bisect_left(self._order, low, key=lambda entry: entry[0])
        return first, max(first, bisect_right(self._order, high, key=lambda entry: entry[0]))

    def ranks_around(self, score: float, member: str) -> tuple[int, int]:
        """How many entries are less than this one, and how many not more, in it or not."""
        entry = (score, encode(member))
        return bisect_left(self._order, entry), bisect_right(self._order, entry)

    def slice(self, first: int, stop: int) -> list[tuple[str, float]]:
        """The members with the ranks from ``first`` up to, not with, ``stop``."""
        return [(decode(raw), score) for score, raw in self._order[first:stop]]


START = Position(0, 0)


class Stream:
    """Entries in order, of which about the last ``maxlen`` are kept."""

    def __init__(self) -> None:
        self.last = START
        self._positions: list[Position] = []
        self._entries: list[bytes] = []
        self._added = 0

    def __len__(self) -> int:
        return len(self._entries)

    def append(self, entry: bytes, maxlen: int, at_ms: int) -> None:
        """Put an entry behind the last one."""
        last = self.last
        after = Position(last.ms, last.sequence + 1)
        self.last = Position(at_ms, 0) if at_ms > last.ms else after
        self._positions.append(self.last)
        self._entries.append(entry)
        self._added += 1
        if len(self._entries) > maxlen + TRIM_SLACK:
            del self._positions[:-maxlen], self._entries[:-maxlen]

    def dump(self) -> tuple[Position, int, list[Position], list[bytes]]:
        """All there is to say of this stream; see :meth:`load`."""
        return self.last, self._added, self._positions, self._entries

    @classmethod
    def load(
        cls, last: Position, added: int, positions: list[Position], entries: list[bytes]
    ) -> Stream:
        """The stream that :meth:`dump` told of."""
        stream = cls()
        stream.last, stream._added = last, added
        stream._positions, stream._entries = positions, entries
        return stream

    def tail(self, after: Position | None, limit: int) -> Tailed:
        """Entries after a position, from the start (``None``), or word of a gap before them."""
        if after is not None and self._has_gap(after):
            return Tailed((), str(self.last), reset=True)
        first = bisect_right(self._positions, after or START)
        page = slice(first, first + limit)
        entries = tuple(zip(map(str, self._positions[page]), self._entries[page], strict=True))
        return Tailed(entries, entries[-1][0] if entries else str(after or START))

    def _has_gap(self, after: Position) -> bool:
        if after == START:
            return self._added != len(self._entries)
        if after == self.last:
            return False
        return after > self.last or not self._entries or self._positions[0] > after
