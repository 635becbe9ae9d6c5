"""``manage.py bench``: the measured goals, each figure a ratio taken in one run, or a count."""

from __future__ import annotations

import json
import os
import platform
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from benchmarks import plan
from benchmarks.comparing import Comparison, compare, read_run
from benchmarks.interrupting import Interrupted, interruptible
from benchmarks.rows import Row
from benchmarks.scratch import EngineInUse

_DEFAULTS = plan.Wanted()


class Command(BaseCommand):
    """Measure on an engine of its own, which is gone afterwards; nothing else is touched."""

    help = "Measure speed and size against the goals."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which rows, how long, on what, and in which form."""
        add = parser.add_argument
        add(
            "--rows", nargs="+", choices=plan.ROWS, default=plan.ROWS,
            help="rows of the goals to measure (default: all)",
        )  # fmt: skip
        add("--count", type=_at_least(10), default=_DEFAULTS.count, help="runs of each transition")
        add(
            "--minutes", type=_at_least(1), default=_DEFAULTS.minutes,
            help="length of the recording of row 8",
        )  # fmt: skip
        add(
            "--seconds", type=_at_least(1), default=_DEFAULTS.seconds,
            help="how long the browsers of row 7 listen",
        )  # fmt: skip
        add("--short", action="store_true", help="leave out what takes long: half a minute in all")
        add(
            "--engine", default="", metavar="URL",
            help="one Valkey or Redis to measure on, instead of one that is started for it",
        )  # fmt: skip
        add(
            "--i-know", action="store_true",
            help="also when it holds data: the bench works beside them, in an empty database",
        )  # fmt: skip
        add("--json", action="store_true", help="print JSON")
        add(
            "--compare", type=Path, metavar="FILE",
            help="say what is better and worse than in a recorded run (its JSON); the exit status"
            " is 1 when a ratio is worse by more than half",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure, and print a table or JSON."""
        recorded = None
        try:
            if options["compare"]:
                recorded = read_run(options["compare"])
            with interruptible():
                rows = list(plan.measure(_wanted(options)))
        except (EngineInUse, ValueError) as fault:
            raise CommandError(str(fault)) from None
        except Interrupted as stop:
            self.stderr.write(f"{stop}; what was made for it is gone")
            sys.exit(128 + stop.signum)
        self._print(rows, options["json"])
        if recorded:
            self._judge(list(compare(rows, recorded)), recorded.machine)

    def _print(self, rows: list[Row], as_json: bool) -> None:
        if as_json:
            whole = {"machine": machine(), "rows": [row.shape() for row in rows]}
            self.stdout.write(json.dumps(whole, indent=2))
        else:
            Console(width=None if sys.stdout.isatty() else 110).print(_table(rows))

    def _judge(self, comparisons: list[Comparison], there: str) -> None:
        """Say how the rows have changed; on the error channel, which JSON does not need."""
        if not comparisons:
            raise CommandError("the recorded run has none of these rows")
        self.stderr.write(f"Compared with a run on {there}:")
        for one in comparisons:
            self.stderr.write(
                f"  {one.verdict:10}  {one.row.row:>4}  {one.row.name}:"
                f" {one.before:g} -> {one.row.value:g} {one.row.unit}"
            )
        much = [one.row.name for one in comparisons if one.verdict == "much worse"]
        if much:
            raise CommandError(f"worse by more than half: {', '.join(much)}")


def machine() -> str:
    """What the figures were measured on, in a few words."""
    return f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"


def _wanted(options: dict[str, Any]) -> plan.Wanted:
    return plan.Wanted(
        rows=frozenset(options["rows"]), count=options["count"], minutes=options["minutes"],
        seconds=options["seconds"], is_short=options["short"], engine=options["engine"],
        i_know=options["i_know"],
    )  # fmt: skip


def _at_least(low: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdigit() or int(text) < low:
            raise ArgumentTypeError(f"{text!r} is no number from {low} on")
        return int(text)

    return parse


def _table(rows: list[Row]) -> Table:
    table = Table("row", "what", "measured", "spread", "goal", "holds", title=machine())
    for row in rows:
        bound = "≤" if row.at_most else "≥"
        spread = f"{row.spread[0]:g}-{row.spread[1]:g}"
        table.add_row(
            row.row, row.name, f"{row.value:g} {row.unit}", spread, f"{bound} {row.goal:g}",
            "yes" if row.holds else "no",
        )  # fmt: skip
    return table
