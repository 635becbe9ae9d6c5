"""The table of docs/benchmarks.md: ``python -m benchmarks.page`` prints it from a recorded run.

With several files their rows are joined; of a row that is in several, the last one counts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from benchmarks.comparing import Recorded, Run, read_run
from benchmarks.verdicts import why

FIGURES = Path(__file__).with_name("figures.json")
"""The run that the page shows."""
_ORDER = ("1", "state", "promise", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11")


def table(run: Run) -> str:
    """The rows of a run as Markdown."""
    lines = ["| Row | What | Goal | Measured | Spread | Holds |", "|---|---|---|---|---|---|"]
    return "\n".join([*lines, *map(_line, run.rows)]) + "\n"


def join(runs: Sequence[Run]) -> Run:
    """The rows of several runs on one machine, in the order of the goals."""
    rows = {(one.row, one.name): one for run in runs for one in run.rows}
    return Run(machine=runs[-1].machine, rows=sorted(rows.values(), key=_place))


def _place(row: Recorded) -> int:
    return _ORDER.index(row.row) if row.row in _ORDER else len(_ORDER)


def _line(row: Recorded) -> str:
    bound = "≤" if row.holds == (row.value <= row.goal) else "≥"
    unit = row.unit.replace("x ", "× ")
    cells: Iterator[str] = iter(
        (
            row.row, row.name, f"{bound} {row.goal:,g}", f"**{_shown(row.value)}** {unit}",
            f"{_shown(row.spread[0])}–{_shown(row.spread[1])}",
            "yes" if row.holds else f"no: {why(row.row, row.name)}",
        )
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    given = [Path(name) for name in sys.argv[1:]]
    if given:
        joined = join([read_run(path) for path in given])
        FIGURES.write_text(json.dumps(msgspec.to_builtins(joined), indent=1) + "\n")
    print(table(read_run(FIGURES)))
