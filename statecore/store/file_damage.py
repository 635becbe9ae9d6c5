"""Files that make no sense: set aside under another name, and reported."""

from __future__ import annotations

import logging
import os
import shutil
import time
from pathlib import Path
from typing import NamedTuple

from statecore.store.file_disk import sync_directory

log = logging.getLogger(__name__)


class Damage(NamedTuple):
    """What was wrong with a file, and the name under which it is kept."""

    file: str
    reason: str
    kept_as: str


class Infirmary:
    """Keeps damaged files for whoever wants to repair them; none is ever overwritten."""

    def __init__(self) -> None:
        self.found: list[Damage] = []

    def move(self, path: Path, reason: str) -> None:
        """Set a file aside that others write; it is gone from its place."""
        aside = _name_beside(path)
        os.rename(path, aside)
        self._report(path, aside, reason)

    def copy(self, path: Path, reason: str) -> None:
        """Set a copy aside of a file of ours, which is about to be written anew."""
        aside = _name_beside(path)
        shutil.copyfile(path, aside)
        self._report(path, aside, reason)

    def _report(self, path: Path, aside: Path, reason: str) -> None:
        sync_directory(path.parent)
        self.found.append(Damage(path.name, reason, aside.name))
        log.warning("%s is damaged and kept as %s: %s", path, aside.name, reason)


def _name_beside(path: Path) -> Path:
    """A name for a damaged file that is not used yet: its own, and the time (epoch ms)."""
    ms = time.time_ns() // 1_000_000
    while (aside := path.with_name(f"{path.name}.damaged-{ms}")).exists():
        ms += 1
    return aside
