"""``manage.py import_state``: brings back what ``export_state`` has written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from statecore.management.state_command import (
    StateCommand,
    directory_url,
    named_file,
    opened_store,
    shown_progress,
)
from statecore.services.imports import ImportReport, Mode, import_export


class Command(StateCommand):
    """Check a whole export, then bring it into a store."""

    help = "Check an export of export_state and bring it into a store."

    def add_arguments(self, parser: CommandParser) -> None:
        """From where to where, and how."""
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, help="the export; *.gz is unpacked")
        parser.add_argument("--state-dir", metavar="DIR", help="import into state files")
        text = "keep what is not in the file, or delete it (default: merge)"
        parser.add_argument("--mode", choices=list(map(str, Mode)), default="merge", help=text)
        parser.add_argument("--dry-run", action="store_true", help="only say what would happen")

    def work(self, options: dict[str, Any]) -> None:
        """Import, and say what it did."""
        path, mode = options["file"], Mode(options["mode"])
        url, dry_run = directory_url(options["state_dir"], options["store"]), options["dry_run"]
        with named_file(path), opened_store(url) as store, shown_progress(options) as tell:
            report = import_export(store, path, mode, dry_run=dry_run, progress=tell)
        self.answer(options, report, describe(report))


def describe(report: ImportReport) -> str:
    """What an import did, in words."""
    first = "Nothing is changed; it would be" if report.dry_run else "Imported"
    lines = [
        f"{first} (export of {report.exported_at}): {report.new} new, {report.replaced} replaced,"
        f" {report.equal} the same, {report.deleted} deleted;"
        f" {report.processes} processes, {report.label_requests} label requests"
    ]
    if report.not_imported:
        lines.append(f"{report.not_imported} damaged entries in it were not imported")
    return "\n".join(lines)
