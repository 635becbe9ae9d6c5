"""Renaming files that have been taken over, so that nobody takes them for the state any more."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from statecore.legacy_files.reading import list_state_files
from statecore.store.file_disk import sync_directory


def has_old_files(directory: Path, *, with_unified: bool = True) -> bool:
    """Whether there is anything to take over."""
    try:
        names = sorted(entry.name for entry in os.scandir(directory) if entry.is_file())
    except (FileNotFoundError, NotADirectoryError):
        return False
    return any(True for _ in list_state_files(names, with_unified=with_unified))


def backup_name(name: str, epoch_ms: int) -> str:
    """What a file is called once it has been taken over (CONTRACTS section 3)."""
    return f"{name}.backup-{epoch_ms}"


def move_aside(path: Path, sha256: str, epoch_ms: int) -> str | None:
    """Rename a file that still holds what was taken over; its new name.

    ``None`` when it holds something else by now: somebody still writes it. The
    name is empty when the file is gone: it has been renamed before.

    Raises:
        OSError: it cannot be renamed.
    """
    try:
        if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            return None
        aside = path.with_name(backup_name(path.name, epoch_ms))
        while aside.exists():
            epoch_ms += 1
            aside = path.with_name(backup_name(path.name, epoch_ms))
        path.rename(aside)
        sync_directory(path.parent)
    except FileNotFoundError:
        return ""
    return aside.name
