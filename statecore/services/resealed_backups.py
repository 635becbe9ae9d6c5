"""Backups, sealed anew one by one: at every moment there is a whole one of each name."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO

import msgspec

from statecore.ports import backup_directories as directories
from statecore.ports.backup_directories import BadBackup, Manifest
from statecore.ports.private_files import new_file
from statecore.ports.sealed_files import place_in_backup
from statecore.sealing.faults import SealFault
from statecore.sealing.files import open_sealed, sealing
from statecore.sealing.key_ring import Key
from statecore.sealing.site import Part, Sealing
from statecore.store.file_disk import sync_directory

REPLACED = ".replaced-"
"""Before the name of a backup that another of the same content is about to replace."""


class BackupsReport(msgspec.Struct):
    """What became of the backups."""

    sealed: int = 0
    """Backups that were sealed anew, or opened."""
    right: int = 0
    """Backups that were so already."""
    damaged: list[str] = []
    """Backups that cannot be read: they stay as they are."""


def reseal_backups(root: Path, wanted: Sealing, tell: Callable[[int], None]) -> BackupsReport:
    """Have every backup sealed so, or opened where backups are not to be sealed.

    One that was about to be replaced when a process died comes back first.

    Raises:
        OSError: there is no room; what was done stays done.
    """
    report, key = BackupsReport(), wanted.key_for(Part.BACKUPS)
    _bring_back(root)
    for name in directories.list_names(root):
        try:
            manifest = directories.read_manifest(root, name)
            if (manifest.sealed_with or "") == (key.id if key else ""):
                report.right += 1
            else:
                _reseal(root, manifest, wanted)
                report.sealed += 1
        except (BadBackup, SealFault, ValueError):
            report.damaged.append(name)
        tell(report.sealed + report.right)
    return report


def _reseal(root: Path, manifest: Manifest, wanted: Sealing) -> None:
    name, key = manifest.name, wanted.key_for(Part.BACKUPS)
    directories.check_files(root, manifest)
    with directories.scratch_folder(root, name) as folder:
        for file in manifest.files:
            place = place_in_backup(name, file)
            with open_sealed((root / name / file).open("rb"), wanted.ring, place) as old:
                _copy(old, folder / file, key, place)
        told = msgspec.structs.replace(
            manifest, sealed_with=key.id if key else msgspec.UNSET,
            version=directories.SEALED_VERSION if key else directories.VERSION,
        )  # fmt: skip
        directories.write_manifest(folder, told)
        sync_directory(folder)
        (root / name).rename(root / f"{REPLACED}{name}")
        folder.rename(root / name)
    sync_directory(root)
    shutil.rmtree(root / f"{REPLACED}{name}")


def _copy(old: IO[bytes], path: Path, key: Key | None, place: str) -> None:
    with new_file(path) as new:
        if key is None:
            shutil.copyfileobj(old, new, 1 << 20)
            return
        with sealing(new, key, place) as sealed:
            shutil.copyfileobj(old, sealed, 1 << 20)


def _bring_back(root: Path) -> None:
    """Undo what a process has left that died between two renames; delete what it had replaced."""
    for path in sorted(root.glob(f"{REPLACED}*")) if root.is_dir() else ():
        place = root / path.name.removeprefix(REPLACED)
        if place.exists():
            shutil.rmtree(path)
        else:
            path.rename(place)
