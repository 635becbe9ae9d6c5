"""``manage.py upgrade``: the state becomes that of this release, while it is in use."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from orchard.services import EngineAway, EngineBusy, upgrading
from orchard.services.upgrading import Report, Tally, UpgradeRefused


class Command(BaseCommand):
    """Upgrade the state; killed in the middle, it is run again and goes on where it was."""

    help = "Bring the state to the version of this release, while it is in use; --dry-run shows it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to do it, and in which form to answer."""
        text = "show what would be changed, and change nothing"
        parser.add_argument("--dry-run", action="store_true", help=text)
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, or show it; ends with 1 and one sentence when it cannot be done."""
        do = upgrading.preview if options["dry_run"] else upgrading.upgrade
        try:
            with _shown(options) as tell:
                report = do(tell)
        except (UpgradeRefused, EngineBusy) as refusal:
            raise CommandError(str(refusal)) from None
        except EngineAway as away:
            raise CommandError(f"the state engine is away: {away}") from None
        if options["json"]:
            self.stdout.write(msgspec.json.encode(report).decode())
        else:
            self.stdout.write("\n".join(_lines(report)))


def _lines(report: Report) -> Iterator[str]:
    if not report.steps:
        yield f"The state is of version {report.from_version}: nothing is to be done."
        return
    way = f"version {report.from_version} to version {report.to_version}"
    yield f"From {way}{'; an upgrade that was begun goes on' if report.resumed else ''}."
    for tally in report.steps:
        yield from _lines_of_step(tally, "would change" if report.dry_run else "changed")
    yield "Nothing was changed." if report.dry_run else "The state is upgraded."


def _lines_of_step(tally: Tally, did: str) -> Iterator[str]:
    yield f"{tally.version}: {tally.what}"
    yield f"    {tally.looked_at:,} records looked at, {tally.changed:,} {did}"
    yield from (f"    {did}: {place}" for place in tally.examples)
    if tally.left:
        yield f"    {tally.left:,} are damaged, and stay as they are (`manage.py doctor`)"
        yield from (f"    damaged: {place}" for place in tally.left_examples)


@contextmanager
def _shown(options: dict[str, Any]) -> Iterator[Callable[[Tally], None]]:
    """How far it is, on a terminal; nothing elsewhere."""
    if options["json"] or not sys.stderr.isatty():
        yield lambda tally: None
        return
    columns = SpinnerColumn(), TextColumn("{task.description}")
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("waiting for older processes to stop")
        yield lambda tally: bar.update(
            task, description=f"version {tally.version}: {tally.looked_at:,} records"
        )
