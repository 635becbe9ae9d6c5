"""The file store's dealings with the disk: one at a time, whole files or none, clear errors."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from statecore.store.errors import StoreError, StoreFull, StoreUnavailable

LOCK_TIMEOUT_S = 30.0
"""A directory that somebody else holds for so long is not coming back by itself."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def disk_errors() -> Iterator[None]:
    """Raise errors of the disk as errors of the store."""
    try:
        yield
    except OSError as error:
        raise _translated(error) from error


def _translated(error: OSError) -> StoreError:
    if error.errno in _FULL:
        return StoreFull(f"There is no room for the state on the disk: {error}")
    return StoreUnavailable(f"The state directory cannot be used: {error}")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep all other processes out that lock the same file, until the end of the block.

    Raises:
        StoreUnavailable: somebody else holds it for longer than ``LOCK_TIMEOUT_S``.
    """
    lock = _lock(path, time.monotonic() + LOCK_TIMEOUT_S)
    try:
        yield
    finally:
        fcntl.flock(lock, fcntl.LOCK_UN)  # closing would not do: a forked child may have it too
        os.close(lock)


def _lock(path: Path, stop: float) -> int:
    while True:
        lock = _open_lock(path)
        try:
            _wait_for_lock(lock, path, stop)
        except BaseException:
            os.close(lock)
            raise
        if is_file(lock, path):
            return lock
        os.close(lock)  # it was deleted meanwhile: another may be in the new one


def _open_lock(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    with suppress(FileNotFoundError):
        return os.open(path, flags, 0o600)
    path.parent.mkdir(0o700, parents=True, exist_ok=True)
    return os.open(path, flags, 0o600)


def _wait_for_lock(lock: int, path: Path, stop: float) -> None:
    pause_s = 0.0002
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > stop:
                raise StoreUnavailable(
                    f"Another process has held {path} for {LOCK_TIMEOUT_S:.0f} s"
                ) from None
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, 0.005)


def is_file(descriptor: int, path: Path) -> bool:
    """Whether an open file is the one that has this path now."""
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    here = os.fstat(descriptor)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte, or raise."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def write_file(path: Path, data: bytes, mode: int = 0o600) -> os.stat_result:
    """A file with these bytes, on the disk for good; when that fails there is no file."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    descriptor = os.open(path, flags, mode)
    try:
        os.fchmod(descriptor, mode)
        write_all(descriptor, data)
        os.fsync(descriptor)
        return os.fstat(descriptor)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def sync_directory(path: Path) -> None:
    """Make what was created, renamed and deleted in a directory last."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
