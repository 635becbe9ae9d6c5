"""``manage.py export_state``: all of the state in one file."""

from __future__ import annotations

import gzip
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import CommandError, CommandParser

from statecore.management.state_command import (
    StateCommand,
    directory_url,
    opened_store,
    shown_progress,
)
from statecore.ports.sealed_files import EXPORT, new_sealed_file
from statecore.services.transfer import ExportReport, Progress, export
from statecore.store.base import Store


class Command(StateCommand):
    """Write the state to a file that ``import_state`` reads; packed when it ends in ``.gz``."""

    help = "Write all state to a JSON file with a checksum, for import_state."

    def add_arguments(self, parser: CommandParser) -> None:
        """From where to where."""
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, help="the file to write; *.gz is packed")
        parser.add_argument("--state-dir", metavar="DIR", help="export a directory of state files")
        text = "a namespace that only other programs have written to (repeatable)"
        parser.add_argument("--namespace", action="append", default=[], help=text)
        text = "write it so that any program can read it, where the site seals its backups"
        parser.add_argument("--plain", action="store_true", help=text)
        parser.add_argument("--force", action="store_true", help="replace a file that is there")

    def work(self, options: dict[str, Any]) -> None:
        """Export, and say how much it was."""
        path: Path = options["file"]
        if path.exists() and not options["force"]:
            raise CommandError(f"{path}: is there already; --force replaces it")
        url = directory_url(options["state_dir"], options["store"])
        with opened_store(url) as store, shown_progress(options) as tell:
            report = _write(store, path, options, tell)
        self.answer(options, report, f"{path}: {describe(report)}")


def describe(report: ExportReport) -> str:
    """What an export holds, in words."""
    counts = ", ".join(f"{count} {name}" for name, count in sorted(report.counts.items()))
    lines = [counts or "no entries"]
    lines += [f"damaged, kept for people only: {what}" for what in report.damaged]
    return "\n".join(lines)


def _write(store: Store, path: Path, options: dict[str, Any], tell: Progress) -> ExportReport:
    with ExitStack() as stack:
        stream = stack.enter_context(new_sealed_file(path, EXPORT, plain=options["plain"]))
        if path.suffix == ".gz":
            packed = gzip.GzipFile("", "wb", 6, stream, 0)
            stream = cast("IO[bytes]", stack.enter_context(packed))
        return export(store, stream, options["namespace"], tell)
