"""``manage.py backup_state``: named backups, listed, verified and pruned."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from statecore.management.audio_files import list_audio
from statecore.management.state_command import StateCommand, opened_store, shown_progress
from statecore.ports.backup_directories import Manifest
from statecore.services import backups
from statecore.services.backups import Listed


class Command(StateCommand):
    """Make a backup; or list them, or verify one."""

    help = "Back up the state and the list of audio files, under a name; list, verify, prune."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do, and what to keep."""
        super().add_arguments(parser)
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--name", default="", help="the backup's name (default: the time)")
        what.add_argument("--list", action="store_true", help="list the backups")
        what.add_argument("--verify", metavar="NAME", help="check a backup against its checksums")
        what.add_argument("--prune-only", action="store_true", help="make none, only prune")
        text = "list audio files with their checksums (reads them all)"
        parser.add_argument("--hash-audio", action="store_true", help=text)
        text = "afterwards keep the newest N"
        parser.add_argument("--prune-keep", type=_count, metavar="N", help=text)
        text = "afterwards delete those older than D days (with --prune-keep: but the newest N)"
        parser.add_argument("--prune-days", type=_days, metavar="D", help=text)

    def work(self, options: dict[str, Any]) -> None:
        """Do the one thing that was asked for."""
        root = Path(settings.STATECORE["BACKUP_DIR"])
        if options["list"]:
            found = backups.list_backups(root)
            self.answer(options, found, "\n".join(map(_line, found)) or f"{root}: no backups")
        elif options["verify"]:
            manifest = backups.verify(root, options["verify"])
            self.answer(options, manifest, f"{manifest.name} is whole and unaltered.")
        else:
            self._create(root, options)

    def _create(self, root: Path, options: dict[str, Any]) -> None:
        keep, days = options["prune_keep"], options["prune_days"]
        if options["prune_only"] and keep is None and days is None:
            raise CommandError("--prune-only needs --prune-keep or --prune-days")
        manifest = None if options["prune_only"] else _create(root, options)
        deleted = backups.prune(root, keep=keep, days=days, now=datetime.now(UTC))
        lines = [f"{root / manifest.name}: {_holds(manifest)}"] if manifest else []
        lines += [f"damaged, kept for people only: {what}" for what in _damaged(manifest)]
        lines += [f"deleted: {name}" for name in deleted]
        report = {"backup": manifest, "deleted": deleted}
        self.answer(options, report, "\n".join(lines) or "Nothing to delete.")


def _create(root: Path, options: dict[str, Any]) -> Manifest:
    audio = list_audio(hashed=options["hash_audio"])
    with opened_store(options["store"]) as store, shown_progress(options) as tell:
        return backups.create(store, root, options["name"], audio, tell)


def _damaged(manifest: Manifest | None) -> list[str]:
    return manifest.damaged if manifest else []


def _line(one: Listed) -> str:
    if one.manifest is None:
        return f"{one.name}  cannot be used: {one.fault}"
    return f"{one.name}  {one.manifest.created_at}  {_holds(one.manifest)}"


def _holds(manifest: Manifest) -> str:
    packed = sum(one.bytes for one in manifest.files.values())
    return (
        f"{manifest.counts.get('entries', 0)} entries, {manifest.audio_files} audio files"
        f" ({manifest.audio_bytes} bytes), {packed} bytes packed"
    )


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError(text)
    return value


def _days(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 100_000:
        raise ValueError(text)
    return value
