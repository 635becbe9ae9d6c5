"""``manage.py restore_state``: brings a backup back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from statecore.management.audio_files import list_audio
from statecore.management.commands.import_state import describe
from statecore.management.state_command import StateCommand, opened_store, shown_progress
from statecore.ports.backup_directories import Manifest
from statecore.services import backups
from statecore.services.backups import RestoreReport
from statecore.services.imports import Mode


class Command(StateCommand):
    """Verify a backup, back up what there is now, then replace it."""

    help = "Bring a backup of backup_state back; what there is now is backed up before."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which one, and how."""
        super().add_arguments(parser)
        parser.add_argument("name", help="the backup's name; backup_state --list shows them")
        text = "delete what is not in the backup, or keep it (default: replace)"
        parser.add_argument("--mode", choices=list(map(str, Mode)), default="replace", help=text)
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def work(self, options: dict[str, Any]) -> None:
        """Restore, and say what it did."""
        root, name, mode = Path(settings.STATECORE["BACKUP_DIR"]), options["name"], options["mode"]
        manifest = backups.verify(root, name)
        if not (options["yes"] or self._is_meant(manifest, mode)):
            raise CommandError("nothing was changed")
        with opened_store(options["store"]) as store, shown_progress(options) as tell:
            report = backups.restore(store, root, name, list_audio, Mode(mode), tell)
        self.answer(options, report, _text(report))

    def _is_meant(self, manifest: Manifest, mode: str) -> bool:
        if not sys.stdin.isatty():
            raise CommandError("nobody is there to ask; say --yes")
        self.stderr.write(
            f"{manifest.name} of {manifest.created_at} ({manifest.counts.get('entries', 0)}"
            f" entries) will {mode} what there is now."
        )
        return input("Type yes to go on: ").strip().lower() == "yes"


def _text(report: RestoreReport) -> str:
    lines = [describe(report.imported), f"What was there before: {report.safety_backup}"]
    if report.audio_missing:
        lines.append(
            f"{len(report.audio_missing)} audio files of that time are missing or others:"
            f" {', '.join(report.audio_missing[:5])}"
        )
    return "\n".join(lines)
