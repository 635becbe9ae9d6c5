"""What this process last saw in the cells it decides on."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping

from statecore.store.ops import Cell

MAX_CELLS = 20_000
MAX_BYTES = 16 * 1024 * 1024


class LastSeen:
    """A bounded memory of cells, least recently used out first; safe between threads.

    It is a guess and never an answer: whoever uses it commits against it, and
    the store refuses what no longer holds.
    """

    def __init__(self, max_cells: int = MAX_CELLS, max_bytes: int = MAX_BYTES) -> None:
        self._cells: OrderedDict[Cell, bytes | None] = OrderedDict()
        self._bytes = 0
        self._max_cells, self._max_bytes = max_cells, max_bytes
        self._lock = threading.Lock()

    def recall(self, cells: Iterable[Cell]) -> dict[Cell, bytes | None]:
        """The values last seen in ``cells``; those never seen are left out."""
        found: dict[Cell, bytes | None] = {}
        with self._lock:
            for cell in cells:
                if cell in self._cells:
                    self._cells.move_to_end(cell)
                    found[cell] = self._cells[cell]
        return found

    def remember(self, seen: Mapping[Cell, bytes | None]) -> None:
        """Keep these values, and forget the least recently used ones over the bounds."""
        with self._lock:
            for cell, value in seen.items():
                self._bytes += len(value or b"") - len(self._cells.pop(cell, None) or b"")
                self._cells[cell] = value
            while len(self._cells) > self._max_cells or self._bytes > self._max_bytes:
                _, gone = self._cells.popitem(last=False)
                self._bytes -= len(gone or b"")

    def __len__(self) -> int:
        return len(self._cells)
