"""Where unfinished uploads lie: one private folder each, on the disk that recordings go to.

The folder has ``content``, whose size is how far the upload is, ``upload.json``, and
``lock``, which whoever writes holds. So any web process on the same disk can go on with it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import msgspec
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from orchard.domain.errors import StorageFull
from orchard.domain.part_uploads import (
    PartUpload,
    UnknownUpload,
    UploadBusy,
    UploadOverrun,
    is_upload_id,
)
from orchard.ports.recordings import room, scratch
from orchard.private_files import make_private_directory

_decoder = msgspec.json.Decoder(PartUpload)


class Whole(File):  # type: ignore[type-arg]
    """All of an upload, under its sender's name for it; a local storage takes it by a rename."""

    def __init__(self, path: Path, stream: IO[bytes], filename: str) -> None:
        super().__init__(stream, name=filename)
        self.size = path.stat().st_size
        self._path = path

    def temporary_file_path(self) -> str:
        """Where it lies."""
        return str(self._path)


def make(upload: PartUpload) -> None:
    """Begin an upload of which nothing is here yet.

    Raises:
        StorageFull: there is not even room for what it is going to be.
    """
    with room():
        make_private_directory(_root())
        if shutil.disk_usage(_root()).free < upload.size:
            raise StorageFull
        folder = _folder(upload.upload_id)
        try:
            folder.mkdir(mode=0o700)
            for name in ("lock", "content"):
                (folder / name).touch(mode=0o600)
            put(upload)
        except OSError:
            remove(upload.upload_id)
            raise


def find(upload_id: str) -> PartUpload:
    """What is known of an upload.

    Raises:
        UnknownUpload: there is none of this id.
    """
    if not is_upload_id(upload_id):
        raise UnknownUpload
    try:
        return _decoder.decode((_folder(upload_id) / "upload.json").read_bytes())
    except (FileNotFoundError, NotADirectoryError, msgspec.MsgspecError):
        raise UnknownUpload from None


def put(upload: PartUpload) -> None:
    """Write down what is known of an upload, whole or not at all."""
    path = _folder(upload.upload_id) / "upload.json"
    own = path.with_suffix(".new")
    own.touch(mode=0o600)
    own.write_bytes(msgspec.json.encode(upload))
    own.replace(path)


def count_bytes(upload: PartUpload) -> int:
    """How many bytes of an upload are here."""
    if upload.job_id:
        return upload.size
    try:
        return (_folder(upload.upload_id) / "content").stat().st_size
    except FileNotFoundError:
        return find(upload.upload_id).size  # it was handed in this moment


def last_change(upload_id: str) -> float:
    """When something of an upload came in last, in seconds since the epoch.

    Raises:
        UnknownUpload: it is gone.
    """
    found = []
    for name in ("content", "upload.json", ""):
        with suppress(FileNotFoundError):
            found.append((_folder(upload_id) / name).stat().st_mtime)
    if not found:
        raise UnknownUpload
    return max(found)


@contextmanager
def held(upload_id: str) -> Iterator[None]:
    """Be the only one who writes to an upload; when its process dies, nobody is.

    Raises:
        UnknownUpload: there is none of this id.
        UploadBusy: somebody else is.
    """
    try:
        lock = (_folder(upload_id) / "lock").open("r+b")
    except FileNotFoundError:
        raise UnknownUpload from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UploadBusy from None
        yield


def append(upload: PartUpload, pieces: Iterable[bytes]) -> None:
    """Write what comes at the end; when that fails, what there was before is there again.

    Pieces that end early are no failure: the rest comes another time.

    Raises:
        StorageFull: there is no room for it.
        UploadOverrun: it is more than the upload was said to have.
    """
    with room(), (_folder(upload.upload_id) / "content").open("ab", buffering=0) as file:
        start = left = file.tell()
        left = upload.size - start
        try:
            for piece in pieces:
                left -= len(piece)
                if left < 0:
                    raise UploadOverrun
                _write(file, piece)
        except (OSError, UploadOverrun):
            file.truncate(start)
            raise


def _write(file: IO[bytes], piece: bytes) -> None:
    """Write all of a piece: the system may take a part of it."""
    view = memoryview(piece)
    while view:
        view = view[file.write(view) :]


@contextmanager
def whole(upload: PartUpload) -> Iterator[Whole]:
    """All of an upload, to be handed in: a second name of it, which may be moved away."""
    with room(), scratch() as folder:
        path, content = folder / "source", _folder(upload.upload_id) / "content"
        try:
            os.link(content, path)
        except OSError:  # a share that knows no second names
            shutil.copyfile(content, path)
        with path.open("rb") as stream:
            yield Whole(path, stream, upload.filename)


def close(upload: PartUpload) -> None:
    """Keep what is known of an upload that was handed in, and let go of its bytes."""
    put(upload)
    (_folder(upload.upload_id) / "content").unlink(missing_ok=True)


def remove(upload_id: str) -> None:
    """Let go of all of an upload."""
    shutil.rmtree(_folder(upload_id), ignore_errors=True)


def list_ids() -> list[str]:
    """All uploads, unfinished or not."""
    try:
        return [name for name in os.listdir(_root()) if is_upload_id(name)]
    except FileNotFoundError:
        return []


def _root() -> Path:
    return Path(getattr(default_storage, "base_location", settings.MEDIA_ROOT)) / "parts"


def _folder(upload_id: str) -> Path:
    return _root() / upload_id
