"""The ring: the latest events of a process, for whoever is a little behind."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from orchard.live.frames import Entry


class News(NamedTuple):
    """What there is after a cursor."""

    entries: list[Entry]
    cursor: str
    reset: bool = False


class Ring:
    """Events by their cursors, oldest first; the first place is a cursor without an event."""

    def __init__(self, start: str = "") -> None:
        self.head = start
        """The cursor of the latest event."""
        self._entries: dict[str, Entry | None] = {start: None}

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, cursor: str) -> bool:
        return cursor in self._entries

    def append(self, entries: list[Entry], most: int) -> None:
        """Take in new events, and let go of the oldest beyond ``most``."""
        self._entries |= {entry.cursor: entry for entry in entries}
        self.head = entries[-1].cursor
        for old in list(islice(self._entries, max(0, len(self._entries) - most))):
            del self._entries[old]

    def between(self, cursor: str, end: str) -> News:
        """The events after a cursor of this ring, up to ``end``; none if it is past the end."""
        # Newest entries stand last, and most followers are close behind: walk back from there.
        newer: list[Entry] = []
        is_due = False
        for at, entry in reversed(self._entries.items()):
            is_due = is_due or at == end
            if at == cursor:
                break
            if is_due and entry:
                newer.append(entry)
        newer.reverse()
        return News(newer, end if is_due else cursor)
