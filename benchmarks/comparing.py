"""Comparing a run of the bench with a recorded one: which rows are better, and which worse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from benchmarks.rows import Row

MUCH = 1.5
"""A ratio that is worse by this factor is a fault; below, machines and chance may be the cause."""
NOTICED = 1.1
"""A difference below this factor is none."""


class Recorded(msgspec.Struct, frozen=True):
    """One row of a recorded run."""

    row: str
    name: str
    value: float
    unit: str
    goal: float = 0.0
    holds: bool = False
    spread: tuple[float, float] = (0.0, 0.0)


class Run(msgspec.Struct, frozen=True):
    """A recorded run, as ``bench --json`` prints it."""

    machine: str
    rows: list[Recorded]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One row, now and then."""

    row: Row
    before: float
    factor: float
    """How many times as bad it is now; below 1 it is better."""

    @property
    def verdict(self) -> str:
        """``better``, ``same`` or ``worse``; ``much worse`` only for ratios."""
        if self.factor > MUCH and self.row.is_ratio:
            return "much worse"
        if self.factor > NOTICED:
            return "worse"
        return "better" if self.factor < 1 / NOTICED else "same"


def read_run(path: Path) -> Run:
    """A recorded run.

    Raises:
        ValueError: the file cannot be read, or holds something else.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Run)
    except (OSError, msgspec.DecodeError) as fault:
        raise ValueError(f"{path} is no recorded run of the bench: {fault}") from None


def compare(rows: Sequence[Row], recorded: Run) -> Iterator[Comparison]:
    """The rows that both runs have; absolute figures of other machines tell little."""
    known = {(one.row, one.name, one.unit): one.value for one in recorded.rows}
    for row in rows:
        before = known.get((row.row, row.name, row.unit))
        if before is not None:
            yield Comparison(row=row, before=before, factor=_factor(row, before))


def _factor(row: Row, before: float) -> float:
    now, then = (row.value, before) if row.at_most else (before, row.value)
    if now == then:
        return 1.0
    return now / then if then > 0 else float("inf")
