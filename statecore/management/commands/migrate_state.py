"""``manage.py migrate_state``: takes over the state directory of an older system."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from statecore.management.state_command import StateCommand, opened_store, shown_progress
from statecore.services.migration_reports import FileReport, Report
from statecore.services.migrations import Options, migrate

NOTES_SHOWN = 20
LEFT = 3
"""Exit code when all that could be taken over was, and something could not."""
_COUNTS = ("entries", "new", "equal", "kept", "replaced", "overruled", "refused")
_FIRST_LINES = {
    "migrated": "Taken over from {dir} into {store}.",
    "dry-run": "Nothing is changed. From {dir} into {store} would be taken over:",
    "already": "Already taken over; --force does it again.",
    "nothing": "{dir} holds no state files.",
}


class Command(StateCommand):
    """Put what the files hold into the engine, then rename them; repeatable."""

    help = "Take over the state files of an older system, once; what dies can be run again."

    def add_arguments(self, parser: CommandParser) -> None:
        """From where, and how."""
        super().add_arguments(parser)
        parser.add_argument("--state-dir", type=Path, metavar="DIR", help="the state directory")
        parser.add_argument("--dry-run", action="store_true", help="only say what would happen")
        parser.add_argument("--verify", action="store_true", help="read everything back")
        parser.add_argument("--force", action="store_true", help="do it again")
        text = "let the files have the say where the engine has another value"
        parser.add_argument("--overwrite", action="store_true", help=text)

    def work(self, options: dict[str, Any]) -> None:
        """Migrate, and tell of each file."""
        directory = options["state_dir"] or Path(settings.STATECORE["STATE_DIR"])
        if not directory.is_dir():
            raise CommandError(f"{directory}: there is no such directory")
        how = Options(**{
            name: options[name] for name in ("dry_run", "verify", "force", "overwrite")
        })  # fmt: skip
        with opened_store(options["store"]) as store, shown_progress(options) as tell:
            report = migrate(store, directory, how, tell)
        self.answer(options, report, _text(report))
        if report.left:
            names = ", ".join(one.file for one in report.left)
            raise CommandError(f"not taken over, or not all of it: {names}", returncode=LEFT)


def _text(report: Report) -> str:
    lines = [_FIRST_LINES[report.outcome].format(dir=report.state_dir, store=report.store)]
    if report.files:
        shown = io.StringIO()
        Console(file=shown, width=120).print(_table(report.files))
        lines.append(shown.getvalue().rstrip())
    lines += [f"{one.file} stays: {one.why}" for one in report.left]
    lines += [f"{note.file}, {note.key[:80]}: {note.what}" for note in report.notes[:NOTES_SHOWN]]
    if (more := len(report.notes) - NOTES_SHOWN) > 0:
        lines.append(f"… and {more} more; --json shows all")
    if report.requests:
        lines.append(f"{report.requests} label requests stay in requests/")
    lines += [f"{name} is no state file; it stays" for name in report.unknown]
    return "\n".join(lines)


def _table(files: list[FileReport]) -> Table:
    used = [name for name in _COUNTS if any(getattr(one, name) for one in files)]
    table = Table("file", *used, "then")
    for one in files:
        moved = f"now *{one.renamed_to.removeprefix(one.file)}" if one.renamed_to else "stays"
        table.add_row(one.file, *(str(getattr(one, name)) for name in used), moved)
    return table
