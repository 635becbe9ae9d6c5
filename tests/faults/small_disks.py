"""A disk that is soon full: a small file system in memory, or where that may not be, a limit."""

from __future__ import annotations

import resource
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOM = 2_000_000
"""Bytes that fit."""


@contextmanager
def small_disk(where: Path) -> Iterator[Path]:
    """A folder that little fits in."""
    where.mkdir()
    options = f"size={ROOM // 4096 * 4096}"
    mounting = ["mount", "-t", "tmpfs", "-o", options, "orchard-test", str(where)]
    if _runs(mounting):
        try:
            yield where
        finally:
            subprocess.run(["umount", "-l", str(where)], check=True)
    else:
        with _limited():
            yield where


def _runs(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False


@contextmanager
def _limited() -> Iterator[None]:
    """No file of this process, or of one it starts, may grow beyond the room."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def files_in(folder: Path) -> list[str]:
    """Every file below, by its path in the folder."""
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())
