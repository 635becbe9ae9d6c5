"""What this process last saw in the cells it decides on."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from statecore.store.ops import (
    Cell,
    Delete,
    Field,
    HashDelete,
    HashSet,
    Key,
    Set,
    Size,
    Write,
)

MAX_CELLS = 20_000
MAX_BYTES = 16 * 1024 * 1024

_NEVER: Final = b"\0 never seen \0"
"""Told apart by identity from whatever a cell may hold."""


class LastSeen:
    """A bounded memory of cells, the longest not decided on out first; safe between threads.

    It is a guess and never an answer: whoever uses it commits against it, and
    the store refuses what no longer holds.
    """

    def __init__(self, max_cells: int = MAX_CELLS, max_bytes: int = MAX_BYTES) -> None:
        # In a plain dict each look for the oldest passes all that have left before it.
        self._cells: OrderedDict[Cell, bytes | None] = OrderedDict()
        self._bytes = 0
        self._max_cells, self._max_bytes = max_cells, max_bytes
        self._lock = threading.Lock()

    def recall(self, cells: Iterable[Cell]) -> dict[Cell, bytes | None]:
        """The values last seen in ``cells``; those never seen are left out."""
        look_up = self._cells.get
        seen = {cell: look_up(cell, _NEVER) for cell in cells}
        return {cell: value for cell, value in seen.items() if value is not _NEVER}

    def remember(self, seen: Mapping[Cell, bytes | None], resized: Iterable[str] = ()) -> None:
        """Keep these values; forget sizes of ``resized`` keys, and the oldest over the bounds."""
        cells = self._cells
        with self._lock:
            for key in resized:
                self._bytes -= len(cells.pop(Size(key), None) or b"")
            for cell, value in seen.items():
                self._bytes += len(value or b"") - len(cells.pop(cell, None) or b"")
                cells[cell] = value
            while len(cells) > self._max_cells or self._bytes > self._max_bytes:
                _, gone = cells.popitem(last=False)
                self._bytes -= len(gone or b"")

    def learn(self, expected: Mapping[Cell, bytes | None], writes: Sequence[Write]) -> None:
        """Keep what the cells decided on, and those written, hold after the writes of a commit."""
        after: dict[Cell, bytes | None] = {**expected}
        resized: list[str] = []
        for write in writes:
            if isinstance(write, HashSet):
                key = write.key
                for name, value in write.fields.items():
                    after[Field(key, name)] = value
                resized.append(key)
            elif isinstance(write, Set):
                after[Key(write.key)] = write.value
                resized.append(write.key)
            elif isinstance(write, HashDelete):
                after.update((Field(write.key, name), None) for name in write.names)
                resized.append(write.key)
            elif isinstance(write, Delete):
                after.update((cell, None) for cell in [*after] if cell.key in write.keys)
                resized += write.keys
        for key in resized:
            after.pop(Size(key), None)
        self.remember(after, resized)

    def __len__(self) -> int:
        return len(self._cells)
