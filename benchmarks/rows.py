"""Rows of the bench: what was measured, against which goal, and how much it varied."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from benchmarks.interrupting import stop_if_asked
from benchmarks.verdicts import why

BLOCKS = 5
"""A measurement is cut into so many blocks; the spread is that of their medians."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One measured figure beside its goal."""

    row: str
    name: str
    value: float
    unit: str
    goal: float
    at_most: bool
    """Whether the goal is an upper bound; otherwise it is a lower one."""
    spread: tuple[float, float]
    holds: bool

    @property
    def is_ratio(self) -> bool:
        """Whether it was taken against a baseline of the same run, so that machines compare."""
        return self.unit.startswith("x ")

    def shape(self) -> dict[str, Any]:
        """The row as ``bench --json`` prints it; one that misses its goal says why."""
        told = {
            "row": self.row, "name": self.name, "value": self.value, "unit": self.unit,
            "goal": self.goal, "holds": self.holds, "spread": list(self.spread),
        }  # fmt: skip
        return told if self.holds else told | {"why": why(self.row, self.name)}


def make_row(
    row: str, name: str, values: Sequence[float], unit: str, goal: float, *, at_most: bool = True
) -> Row:
    """A row from the medians of its blocks."""
    value = round(statistics.median(values), 3)
    return Row(
        row=row, name=name, value=value, unit=unit, goal=goal, at_most=at_most,
        spread=(round(min(values), 3), round(max(values), 3)),
        holds=value <= goal if at_most else value >= goal,
    )  # fmt: skip


def time_pairs(
    do: Callable[[], object],
    baseline: Callable[[], object],
    count: int,
    before: Callable[[], object] = lambda: None,
) -> list[float]:
    """How many times as long ``do`` takes as ``baseline``, in turns: one median a block.

    ``before`` runs ahead of each ``do`` and is not counted.
    """
    ratios = []
    for _ in range(BLOCKS):
        mine: list[int] = []
        theirs: list[int] = []
        for _ in range(max(1, count // BLOCKS)):
            stop_if_asked()
            before()
            theirs.append(_time_ns(baseline))
            mine.append(_time_ns(do))
        ratios.append(statistics.median(mine) / statistics.median(theirs))
    return ratios


def rate_per_s(do: Callable[[], object], count: int) -> float:
    """How often a second ``do`` can be done."""
    start = time.perf_counter()
    for _ in range(count):
        stop_if_asked()
        do()
    return count / (time.perf_counter() - start)


def _time_ns(do: Callable[[], object]) -> int:
    start = time.perf_counter_ns()
    do()
    return time.perf_counter_ns() - start
