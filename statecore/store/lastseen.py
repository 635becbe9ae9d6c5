"""What this process last saw in the cells it decides on."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Final

from statecore.store.ops import Cell

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
        self._cells: dict[Cell, bytes | None] = {}
        self._bytes = 0
        self._max_cells, self._max_bytes = max_cells, max_bytes
        self._lock = threading.Lock()

    def recall(self, cells: Iterable[Cell]) -> dict[Cell, bytes | None]:
        """The values last seen in ``cells``; those never seen are left out."""
        look_up = self._cells.get
        seen = {cell: look_up(cell, _NEVER) for cell in cells}
        return {cell: value for cell, value in seen.items() if value is not _NEVER}

    def remember(self, seen: Mapping[Cell, bytes | None], changed: Iterable[Cell] = ()) -> None:
        """Keep these values, forget ``changed`` cells and the oldest ones over the bounds."""
        cells = self._cells
        with self._lock:
            for cell in changed:
                self._bytes -= len(cells.pop(cell, None) or b"")
            for cell, value in seen.items():
                self._bytes += len(value or b"") - len(cells.pop(cell, None) or b"")
                cells[cell] = value
            while len(cells) > self._max_cells or self._bytes > self._max_bytes:
                gone = cells.pop(next(iter(cells)))
                self._bytes -= len(gone or b"")

    def __len__(self) -> int:
        return len(self._cells)
