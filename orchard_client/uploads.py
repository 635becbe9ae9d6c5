"""Files on their way to the server: read block by block, and told of as they go."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

Progress = Callable[[int, int], None]
"""Is told how many bytes have been sent, and how many there are; after a retry, from 0 again."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to be sent."""

    source: Path | BinaryIO
    name: str
    progress: Progress | None = None

    def open(self) -> Sending:
        """The file at its beginning, for one attempt.

        Raises:
            OSError: it cannot be read.
        """
        mine = isinstance(self.source, Path)
        file = self.source.open("rb") if isinstance(self.source, Path) else self.source
        return Sending(file, self.progress, mine=mine)


class Sending:
    """A file as HTTPX reads it, in small blocks, from where it stood when it was given to us."""

    def __init__(self, file: BinaryIO, progress: Progress | None, *, mine: bool) -> None:
        self._file = file
        self._progress = progress
        self._mine = mine
        self._start = file.tell()
        self._sent = 0
        self.size = self._measure()
        """In bytes."""

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        block = self._file.read(size)
        self._sent += len(block)
        if self._progress and block:
            self._progress(self._sent, self.size)
        return block

    def tell(self) -> int:
        """How far it was read."""
        return self._sent

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, counted from where the file began for us."""
        self._sent = self.size + offset if whence == os.SEEK_END else offset
        self._file.seek(self._start + self._sent)
        return self._sent

    def close(self) -> None:
        """Put the file away, or back to where it was."""
        if self._mine:
            self._file.close()
        else:
            self._file.seek(self._start)

    def _measure(self) -> int:
        end = self._file.seek(0, os.SEEK_END)
        self._file.seek(self._start)
        return end - self._start


def upload_of(
    file: str | os.PathLike[str] | BinaryIO, name: str | None, progress: Progress | None
) -> Upload:
    """A file by its path, or one that is open; ``name`` is what the server will call it.

    A stream that cannot go back is copied to the disk first, as it may have to be sent twice.
    """
    if isinstance(file, str | os.PathLike):
        path = Path(file)
        return Upload(path, name or path.name, progress)
    own = getattr(file, "name", "")
    known = Path(own).name if isinstance(own, str) else ""
    return Upload(
        file if file.seekable() else _copied(file), name or known or "recording", progress
    )


def _copied(stream: BinaryIO) -> BinaryIO:
    file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - sent later
    shutil.copyfileobj(stream, file)
    file.seek(0)
    return file
