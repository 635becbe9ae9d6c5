"""``manage.py bench``: the measured goals, each figure a ratio taken in one run."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from benchmarks import issue_state, scale, sound, throughput, transitions
from benchmarks.rows import Row
from benchmarks.scratch import scratch_engine

ROWS = ("1", "2", "3", "5", "8", "state")
"""Rows of the goals that can be measured so far; ``state`` is row 1 and the promises of the
state side."""


class Command(BaseCommand):
    """Measure on an engine of its own, which is gone afterwards; nothing else is touched."""

    help = "Measure speed and size against the goals."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which rows, how long, and in which form."""
        parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS)
        parser.add_argument("--count", type=int, default=1000, help="runs of each transition")
        parser.add_argument("--minutes", type=int, default=60, help="length of the recording")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure, and print a table or JSON."""
        if options["count"] < 10 or options["minutes"] < 1:
            raise CommandError("--count must be 10 or more, --minutes 1 or more")
        rows = list(self._measure(options))
        if options["json"]:
            whole = {"machine": _machine(), "rows": msgspec.to_builtins(rows)}
            self.stdout.write(json.dumps(whole, indent=2))
        else:
            Console().print(_table(rows))

    def _measure(self, options: dict[str, Any]) -> Iterator[Row]:
        wanted = set(options["rows"])
        if wanted & {"1", "2", "3"}:
            with scratch_engine() as (store, client):
                if "1" in wanted:
                    yield from transitions.measure(store, client, options["count"])
                if wanted & {"2", "3"}:
                    yield from throughput.measure(client, options["count"])
        if "5" in wanted:
            with scratch_engine() as (_, client):
                yield from scale.measure(client, options["count"])
        if "state" in wanted:
            with scratch_engine() as (store, client):
                yield from issue_state.measure(store, client, options["count"])
        if "8" in wanted:
            clips = Path(settings.BASE_DIR) / "tests" / "data"
            yield from sound.measure(clips, options["minutes"])


def _machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"


def _table(rows: list[Row]) -> Table:
    table = Table("row", "what", "measured", "spread", "goal", "holds", title=_machine())
    for row in rows:
        bound = "≤" if row.at_most else "≥"
        spread = f"{row.spread[0]:g}-{row.spread[1]:g}"
        table.add_row(
            row.row, row.name, f"{row.value:g} {row.unit}", spread, f"{bound} {row.goal:g}",
            "yes" if row.holds else "no",
        )  # fmt: skip
    return table
