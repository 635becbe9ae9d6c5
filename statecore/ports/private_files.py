"""Files that appear whole or not at all, and that only their owner can read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from statecore.store.file_disk import sync_directory


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """A file to be written; it gets its name when all of it is on the disk, and mode 600.

    Raises:
        OSError: there is no room, or the place cannot be written to; nothing is left then.
    """
    scratch = path.with_name(f".{path.name[:100]}.{os.getpid()}.tmp")
    scratch.unlink(missing_ok=True)
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(scratch, path)
        sync_directory(path.parent)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
