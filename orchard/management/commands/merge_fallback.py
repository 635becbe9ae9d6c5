"""``manage.py merge_fallback``: what was done without the engine comes into it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError, CommandParser

from orchard.fallback.merging import Merge, merge
from orchard.ports import kept_back
from orchard.services import EngineAway, get_engine
from statecore.ports.export_format import BadExport
from statecore.sealing.faults import SealFault

SHOWN = 20


class Command(BaseCommand):
    """Show what a fallback has saved and what conflicts; merge it with ``--yes`` or when asked."""

    help = "Bring what was done in a fallback into the engine; shows conflicts first."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to ask, whose value counts, and in which form to answer."""
        parser.add_argument("--yes", action="store_true", help="merge without asking")
        parser.add_argument(
            "--overwrite", action="store_true", help="conflicts: the fallback's value counts"
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Show, ask, and merge one fallback after the other."""
        reports = []
        try:
            for folder in kept_back.waiting():
                report = merge(get_engine(), folder, dry_run=True)
                if not options["json"]:
                    self.stdout.write("\n".join(_lines(report)))
                if self._is_wanted(options):
                    overwrite = options["overwrite"]
                    report = merge(get_engine(), folder, dry_run=False, overwrite=overwrite)
                    if not options["json"]:
                        self.stdout.write(f"{report.folder}: merged.")
                reports.append(report)
        except EngineAway as away:
            raise CommandError(f"the state engine is away: {away}") from None
        except (BadExport, SealFault, OSError) as fault:
            raise CommandError(f"what was saved cannot be read: {fault}") from None
        if options["json"]:
            self.stdout.write(json.dumps(msgspec.to_builtins(reports), indent=2))
        elif not reports:
            self.stdout.write("No fallback has left anything.")

    def _is_wanted(self, options: dict[str, Any]) -> bool:
        if options["yes"] or options["json"] or not sys.stdin.isatty():
            return bool(options["yes"])
        return input("Merge this? [y/N] ").strip().lower() in ("y", "yes")


def _lines(report: Merge) -> Iterator[str]:
    yield f"{report.folder}: {len(report.new)} new entries, {report.equal} the same"
    yield from _named("conflicts (the engine's value stays; --overwrite: the fallback's)",
                      report.conflicts)  # fmt: skip
    yield from _named("jobs that come in", report.jobs)
    yield from _named("of these begin again with their recording", report.begun_again)
    yield from _named("jobs that the engine has and keeps", report.known_jobs)
    yield from _named("jobs that are lost: no recording", report.lost_jobs)


def _named(what: str, names: list[str]) -> Iterator[str]:
    if names:
        more = f" … and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        yield f"  {len(names)} {what}: {', '.join(names[:SHOWN])}{more}"
