"""Small secret files and directories that only their owner can read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def make_private_directory(path: Path) -> None:
    """Make a directory that only its owner can enter."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)


def read_or_make(path: Path, make: Callable[[], str]) -> str:
    """The secret in a file; made once, however many processes start at the same time."""
    if not path.exists():
        own = path.with_name(f"{path.name}.{os.getpid()}")
        write_private(own, make())
        try:
            os.link(own, path)  # fails when another process was faster: its secret stands
        except FileExistsError:
            pass
        finally:
            own.unlink()
    return path.read_text().strip()


def write_private(path: Path, content: str) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content + "\n")
