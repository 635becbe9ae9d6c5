"""Files on their way to the server: read block by block, and told of as they go."""

from __future__ import annotations

import io
import os
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

    @property
    def repeatable(self) -> bool:
        """Whether it can be read twice."""
        return isinstance(self.source, Path) or self.source.seekable()


class Sending:
    """A file as HTTPX reads it, in small blocks, from where it stood when it was given to us."""

    def __init__(self, file: BinaryIO, progress: Progress | None, *, mine: bool) -> None:
        self._file = file
        self._progress = progress
        self._mine = mine
        self._seekable = file.seekable()
        self._start = file.tell() if self._seekable else 0
        self._sent = 0
        self.size = self._measure() if self._seekable else 0
        """In bytes; 0 when nobody can know."""

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
        """Go to a place, counted from where the file began for us.

        Raises:
            io.UnsupportedOperation: it is a stream that cannot go back.
        """
        if not self._seekable:
            raise io.UnsupportedOperation("seek")
        self._sent = self.size + offset if whence == os.SEEK_END else offset
        self._file.seek(self._start + self._sent)
        return self._sent

    def close(self) -> None:
        """Put the file away, or back to where it was."""
        if self._mine:
            self._file.close()
        elif self._seekable:
            self._file.seek(self._start)

    def _measure(self) -> int:
        end = self._file.seek(0, os.SEEK_END)
        self._file.seek(self._start)
        return end - self._start


def upload_of(
    file: str | os.PathLike[str] | BinaryIO, name: str | None, progress: Progress | None
) -> Upload:
    """A file by its path, or one that is open; ``name`` is what the server will call it."""
    if isinstance(file, str | os.PathLike):
        path = Path(file)
        return Upload(path, name or path.name, progress)
    own = getattr(file, "name", "")
    known = Path(own).name if isinstance(own, str) else ""
    return Upload(file, name or known or "recording", progress)
