"""``manage.py doctor``: whether all is well, and how to mend what is not."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from orchard.conf import get_conf
from orchard.doctor.connection import reach
from orchard.doctor.examining import SYMPTOMS, Report, examine, repair
from orchard.doctor.schema import examine_schema
from orchard.doctor.surroundings import examine_surroundings
from orchard.doctor.troubles import Trouble
from orchard.services import EngineAway, get_engine, upgrading

WELL, UNWELL, AWAY = 0, 1, 2
"""Ends: all is well; something is wrong; the engine could not be examined."""


class Answer(msgspec.Struct, kw_only=True):
    """All that was found."""

    is_well: bool
    troubles: list[Trouble]
    state: Report | None = None
    mended: dict[str, int] | None = None


class Command(BaseCommand):
    """Examine the engine, the surroundings and the whole state; mend with ``--repair``."""

    help = "Examine engine, surroundings and all state on live data; --repair mends what it can."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to mend, and in which form to answer."""
        parser.add_argument("--repair", action="store_true", help="mend what can be mended")
        parser.add_argument("--yes", action="store_true", help="mend without asking")
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument("--no-files", action="store_true", help="leave out recordings")
        parser.add_argument("--connection", action="store_true", help="leave out the state")

    def handle(self, *args: Any, **options: Any) -> None:
        """Examine, tell, and perhaps mend; the exit code says whether all is well."""
        answer = Answer(is_well=True, troubles=list(examine_surroundings(settings.DATA_DIR)))
        try:
            self._examine(answer, options)
        except EngineAway as away:
            answer.troubles.append(Trouble("away", str(away), "Try again in a moment."))
            answer.state = None
        answer.is_well = _is_well(answer)
        if options["json"]:
            self.stdout.write(json.dumps(msgspec.to_builtins(answer), indent=2))
        else:
            self.stdout.write("\n".join(_lines(answer)))
        if answer.state is None and not options["connection"]:
            sys.exit(AWAY)
        if not answer.is_well:
            sys.exit(UNWELL)

    def _examine(self, answer: Answer, options: dict[str, Any]) -> None:
        store, troubles = reach(get_engine, get_conf().store)
        answer.troubles += troubles
        if store is None:
            return
        answer.troubles += examine_schema(upgrading.describe())
        if options["connection"]:
            return
        files = not options["no_files"]
        with _shown(options) as progress:
            answer.state = examine(store, progress=progress, files=files)
        if options["repair"] and answer.state.can_mend and self._is_wanted(answer, options):
            with _shown(options) as progress:
                answer.mended, answer.state = repair(store, progress=progress, files=files)

    def _is_wanted(self, answer: Answer, options: dict[str, Any]) -> bool:
        """Show what a repair would do, and ask."""
        if options["yes"]:
            return True
        if options["json"] or not sys.stdin.isatty():
            self.stderr.write("Nothing was mended: say --yes to mend without being asked.")
            return False
        self.stdout.write("\n".join(_state_lines(answer.state)))
        return input("Mend this? [y/N] ").strip().lower() in ("y", "yes")


def _is_well(answer: Answer) -> bool:
    is_grave = any(trouble.is_grave for trouble in answer.troubles)
    return not is_grave and not (answer.state and answer.state.faults)


def _lines(answer: Answer) -> Iterator[str]:
    for trouble in answer.troubles:
        yield f"{'!' if trouble.is_grave else '-'} {trouble.what}"
        yield f"    {trouble.help}"
    for code, count in (answer.mended or {}).items():
        yield f"+ {code}: mended {count} times. {SYMPTOMS[code].meaning}"
    yield from _state_lines(answer.state)
    yield "All is well." if answer.is_well else "Not all is well."


def _state_lines(report: Report | None) -> Iterator[str]:
    if report is None:
        return
    for code, count in report.counts.items():
        symptom = SYMPTOMS[code]
        yield f"{'-' if symptom.is_note else '!'} {code} ({count}): {symptom.meaning}"
        named = [finding for finding in report.findings if finding.code == code]
        yield from (f"    {one.kind} {one.where}: {one.what}" for one in named[:5])
        if count > len(named[:5]):
            yield f"    … and {count - len(named[:5])} more"
        if symptom.repair:
            yield f"    A repair {symptom.repair}."
    looked_at = ", ".join(f"{number:,} {what}" for what, number in report.looked_at.items())
    yield f"Looked at {looked_at} in {report.seconds:.1f} s."


@contextmanager
def _shown(options: dict[str, Any]) -> Iterator[Callable[[str, int], None]]:
    """How far it is, on a terminal; nothing elsewhere."""
    if options["json"] or not sys.stderr.isatty():
        yield lambda what, count: None
        return
    columns = SpinnerColumn(), TextColumn("{task.description}")
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("")
        yield lambda what, count: bar.update(task, description=f"{count:,} {what}")
