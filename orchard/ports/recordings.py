"""Where sound and transcripts live: Django's storage, one folder a job.

A local folder by default, or a bucket (:mod:`orchard.ports.object_storage`); any storage
backend of Django works.
"""

from __future__ import annotations

import errno
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from orchard.domain.errors import StorageAway, StorageFull
from statecore.sealing.faults import MissingKey
from statecore.sealing.files import open_sealed, sealing
from statecore.sealing.key_ring import Key
from statecore.sealing.site import Part, sealing_of_site

_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")


def source_name(job_id: str, filename: str) -> str:
    """Where the uploaded file of a job goes."""
    suffix = Path(filename).suffix
    return f"jobs/{job_id}/source{suffix.lower() if _SUFFIX.fullmatch(suffix) else ''}"


def clean_name(job_id: str) -> str:
    """Where the cleaned sound of a job goes (WAV, 16 kHz, mono)."""
    return f"jobs/{job_id}/clean.wav"


def chunk_name(job_id: str, index: int) -> str:
    """Where the sound of one chunk goes (WAV, 16 kHz, mono)."""
    return f"jobs/{job_id}/chunks/{index:05}.wav"


def transcript_name(job_id: str) -> str:
    """Where the joined transcript goes."""
    return f"jobs/{job_id}/transcript.json"


def output_name(job_id: str) -> str:
    """Where what a job of another type leads to goes."""
    return f"jobs/{job_id}/output"


class _LocalFile(File):  # type: ignore[type-arg]
    """A file that lies on our own disk: a local storage takes it over by a rename."""

    def __init__(self, path: Path, stream: IO[bytes]) -> None:
        super().__init__(stream, name=path.name)
        self._path = path

    def temporary_file_path(self) -> str:
        return str(self._path)


def is_full(fault: OSError) -> bool:
    """Whether this is a disk, or a share of one, that has no room left."""
    return fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def room() -> Iterator[None]:
    """Raise what a full disk does to the block in words of our own.

    Raises:
        StorageFull: there was no room for something.
    """
    try:
        yield
    except OSError as fault:
        if is_full(fault):
            raise StorageFull from fault
        raise


def save(name: str, content: File[bytes]) -> None:
    """Put a file under exactly this name, in place of what was there.

    An upload that lies on the storage's disk already is moved, not copied. Where
    the site seals its files, it is sealed on the way.
    """
    key = sealing_of_site().key_for(Part.FILES)
    if key is None:
        default_storage.save(name, content)
    else:
        save_sealed(name, content, key)


def save_sealed(name: str, content: IO[bytes] | File[bytes], key: Key) -> None:
    """Put a file under exactly this name, sealed with this key, whole or not at all."""
    content.seek(0)
    with scratch() as folder:
        _put(name, _copy(content, folder / "copy", name, key))


def replace(name: str, content: IO[bytes], key: Key | None) -> None:
    """Put the same content in place of a file, sealed with this key or none; not of a deleted one.

    Raises:
        FileNotFoundError: it was deleted meanwhile.
    """
    with scratch() as folder:
        path = _copy(content, folder / "copy", name, key)
        if not exists(name):
            raise FileNotFoundError(name)
        _put(name, path)


def _copy(content: IO[bytes] | File[bytes], path: Path, name: str, key: Key | None) -> Path:
    with path.open("wb") as below:
        if key is None:
            shutil.copyfileobj(content, below, 1 << 20)
        else:
            with sealing(below, key, name) as sealed:
                shutil.copyfileobj(content, sealed, 1 << 20)
    return path


def _put(name: str, path: Path) -> None:
    with path.open("rb") as stream:
        default_storage.save(name, _LocalFile(path, stream))


def save_bytes(name: str, content: bytes) -> None:
    """Put a small file under exactly this name, whole or not at all."""
    with scratch() as folder:
        path = folder / "content"
        path.write_bytes(content)
        save_path(name, path)


def save_path(name: str, path: Path) -> None:
    """Put a local file under exactly this name, whole or not at all; it may be gone then."""
    with path.open("rb") as stream:
        save(name, _LocalFile(path, stream))


def fetch(name: str, path: Path) -> None:
    """Copy a file from storage to a local path.

    Raises:
        FileNotFoundError: there is none.
    """
    with open_read(name) as stream, path.open("wb") as local:
        shutil.copyfileobj(stream, local, 1 << 20)


def open_read(name: str) -> IO[bytes]:
    """The file, for reading from its start, sealed or not.

    Raises:
        FileNotFoundError: there is none.
        StorageAway: it was sealed with a key that is not here: it may come.
        BrokenSeal: it was altered since it was sealed.
    """
    try:
        return open_sealed(default_storage.open(name, "rb"), sealing_of_site().ring, name)
    except MissingKey as missing:
        raise StorageAway(str(missing)) from missing


def read(name: str) -> bytes | None:
    """The whole of a small file, or ``None`` when there is none."""
    try:
        with open_read(name) as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def exists(name: str) -> bool:
    """Whether there is such a file."""
    return bool(default_storage.exists(name))


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for the files of one stage, gone afterwards.

    On a local storage it lies on the same disk, so that saving is a rename; beside a
    bucket in the data folder, as the system may keep its own temporary files in memory.
    """
    parent = Path(getattr(default_storage, "base_location", settings.MEDIA_ROOT)) / "tmp"
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="stage-", dir=parent) as folder:
        yield Path(folder)


def delete_name(name: str) -> None:
    """Remove one file, if it is there."""
    default_storage.delete(name)


def delete(job_id: str) -> None:
    """Remove everything of a job."""
    delete_chunks(job_id)
    _delete_folder(f"jobs/{job_id}")


def delete_chunks(job_id: str) -> None:
    """Remove the sound of a job's chunks; the recording stays."""
    _delete_folder(f"jobs/{job_id}/chunks")


def list_jobs(older_than_s: float = 0.0) -> list[str]:
    """The ids of all jobs that have files, none of them younger than this."""
    if newest_in_folders := getattr(default_storage, "newest_in_folders", None):
        latest = time.time() - older_than_s
        return [name for name, at in newest_in_folders("jobs").items() if at.timestamp() <= latest]
    try:
        ids = default_storage.listdir("jobs")[0]
    except FileNotFoundError:
        return []
    return [job_id for job_id in ids if _age_s(job_id) >= older_than_s]


def has_any(job_id: str) -> bool:
    """Whether anything of a job is in storage, be it an empty folder."""
    folder = f"jobs/{job_id}"
    if holds_any := getattr(default_storage, "holds_any", None):
        return bool(holds_any(folder))
    try:
        folders, files = default_storage.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return bool(folders or files or default_storage.exists(folder))


def is_older(job_id: str, than_s: float) -> bool:
    """Whether the newest file of a job is older than this; a folder without files counts as old."""
    return _age_s(job_id) >= than_s


def _age_s(job_id: str) -> float:
    """Seconds since the newest file of a job; a folder without files counts as old."""
    folder = f"jobs/{job_id}"
    times = [default_storage.get_modified_time(f"{folder}/{name}") for name in _files(folder)]
    return time.time() - max(times).timestamp() if times else float("inf")


def _delete_folder(folder: str) -> None:
    if delete_folder := getattr(default_storage, "delete_folder", None):
        delete_folder(folder)
        return
    for name in _files(folder):
        default_storage.delete(f"{folder}/{name}")
    # On a local storage this removes the empty folder; elsewhere there are no folders.
    if default_storage.exists(folder):
        default_storage.delete(folder)


def _files(folder: str) -> list[str]:
    try:
        return default_storage.listdir(folder)[1]
    except (FileNotFoundError, NotADirectoryError):
        return []
