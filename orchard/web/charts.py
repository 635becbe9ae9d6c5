"""Gauges of the engine page: one or two lines of what was seen lately, drawn as SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from orchard.web.words import Word

WIDTH, HEIGHT = 300.0, 80.0


class Series(NamedTuple):
    """One line: what it is called, its values from the oldest to the latest, and its look."""

    label: Word
    values: Sequence[float]
    style: str = ""


class Line(NamedTuple):
    """A line as it is drawn."""

    label: Word
    now: str
    points: str
    style: str


class Chart:
    """Lines on one scale, from nothing to the largest value that was seen."""

    view_box = f"0 0 {WIDTH:g} {HEIGHT:g}"

    def __init__(self, title: Word, series: Sequence[Series], show: Callable[[float], str]) -> None:
        self.title = title
        self._series = series
        self._show = show
        self._top = max([value for one in series for value in one.values], default=0.0)

    @property
    def is_drawable(self) -> bool:
        """Whether there are two values to draw a line between."""
        return all(len(one.values) > 1 for one in self._series)

    @property
    def top_words(self) -> str:
        """The end of the scale, in words."""
        return self._show(self._top)

    @property
    def lines(self) -> list[Line]:
        """All lines."""
        return [
            Line(
                one.label, self._show(one.values[-1]) if one.values else "–",
                " ".join(self._points(one.values)), one.style,
            )
            for one in self._series
        ]  # fmt: skip

    @property
    def area(self) -> str:
        """What lies under the first line."""
        points = self._points(self._series[0].values)
        return " ".join([f"0,{HEIGHT:g}", *points, f"{WIDTH:g},{HEIGHT:g}"])

    def _points(self, values: Sequence[float]) -> list[str]:
        step = WIDTH / max(1, len(values) - 1)
        top = self._top or 1.0
        return [
            f"{i * step:.1f},{HEIGHT * (1 - 0.9 * value / top):.1f}"
            for i, value in enumerate(values)
        ]
