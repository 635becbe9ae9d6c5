"""The chunk map: one cell a chunk, drawn as a handful of SVG paths however many there are.

``static/orchard/map.js`` draws the same cells at the real width, and again
when something changes. States differ in shape as well as in colour: waiting
is a small square, running a frame that fills up, done a full cell, failed a
full cell with a cross.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from orchard.domain.chunks import Chunk

LETTERS = {"waiting": "w", "running": "r", "completed": "c", "failed": "f"}


class Size(NamedTuple):
    """How large the cells of a map are, in pixels."""

    least: float
    """Narrowest column; with more cells than fit, there are more rows."""
    one_row: float
    """Height of the only row."""
    rows: float
    """Height of each of several rows."""


SIZES: Mapping[str, Size] = {"small": Size(6, 16, 9), "large": Size(18, 26, 18)}


class Grid(NamedTuple):
    """Where the cells are."""

    columns: int
    rows: int
    pitch: float
    row_height: float
    width: float

    @property
    def height(self) -> float:
        """Height of the whole map."""
        return self.rows * self.row_height


def lay_out(count: int, width: float, size: Size) -> Grid:
    """A grid for so many cells that is as wide as there is room."""
    rows = max(1, math.ceil(count * size.least / width))
    columns = max(1, math.ceil(count / rows))
    height = size.one_row if rows == 1 else size.rows
    return Grid(columns, rows, width / columns, height, width)


def letters(chunks: Sequence[Chunk], total: int) -> str:
    """One letter for each chunk's state, in the order of the recording."""
    states = ["w"] * max(total, len(chunks))
    for chunk in chunks:
        states[chunk.index] = LETTERS[chunk.status]
    return "".join(states)


def draw(states: str, progress: Mapping[int, float], grid: Grid) -> dict[str, str]:
    """The paths of a map, by kind of cell."""
    paths: dict[str, list[str]] = {kind: [] for kind in ("w", "r", "p", "c", "f", "x")}
    gap = 2.0 if grid.pitch > 5 else 1.0
    for index, state in enumerate(states):
        x = index % grid.columns * grid.pitch + gap / 2
        y = index // grid.columns * grid.row_height + gap / 2
        w, h = grid.pitch - gap, grid.row_height - gap
        inset = min(w, h) / 4 if state == "w" else 0.0
        paths[state].append(_box(x + inset, y + inset, w - 2 * inset, h - 2 * inset))
        if state == "r":
            paths["p"].append(_box(x, y, w * progress.get(index, 0.0), h))
        elif state == "f":
            paths["x"].append(f"M{x:.4g} {y:.4g}l{w:.4g} {h:.4g}m0-{h:.4g}l-{w:.4g} {h:.4g}")
    return {kind: "".join(parts) for kind, parts in paths.items()}


def _box(x: float, y: float, w: float, h: float) -> str:
    return f"M{x:.4g} {y:.4g}h{w:.4g}v{h:.4g}h-{w:.4g}z"
