"""Where the files of schedules live: Django's storage, one folder a schedule."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.core.files import File
from django.core.files.storage import default_storage

from orchard.ports import recordings

FOLDER = "schedules"


class Copy(File):  # type: ignore[type-arg]
    """A copy that lies on our own disk: a local storage takes it over by a rename."""

    def __init__(self, path: Path, stream: IO[bytes], filename: str) -> None:
        super().__init__(stream, name=filename)
        self.size = path.stat().st_size
        self._path = path

    def temporary_file_path(self) -> str:
        """Where it lies."""
        return str(self._path)


def source_name(schedule_id: str, filename: str) -> str:
    """Where the file of a schedule goes."""
    return f"{FOLDER}/{schedule_id}/{Path(recordings.source_name('', filename)).name}"


@contextmanager
def copied(source: str, filename: str) -> Iterator[Copy]:
    """A copy of a schedule's file, which may be moved away.

    Raises:
        FileNotFoundError: it is not in storage any more.
        StorageAway: the storage does not answer, or there is no room.
    """
    with recordings.room(), recordings.scratch() as folder:
        path = folder / "source"
        recordings.fetch(source, path)
        with path.open("rb") as stream:
            yield Copy(path, stream, filename)


def delete(schedule_id: str, source: str) -> None:
    """Remove the file of a schedule with its folder."""
    recordings.delete_name(source)
    folder = f"{FOLDER}/{schedule_id}"
    # On a local storage this removes the empty folder; elsewhere there are no folders.
    if default_storage.exists(folder):
        default_storage.delete(folder)


def list_sources(older_than_s: float) -> list[tuple[str, str]]:
    """Schedules that have files, with the names of those; none of them younger than this."""
    try:
        folders = default_storage.listdir(FOLDER)[0]
    except (FileNotFoundError, NotADirectoryError):
        return []
    latest = time.time() - older_than_s
    names = [(one, f"{FOLDER}/{one}/{file}") for one in folders for file in _files(one)]
    return [
        (one, name)
        for one, name in names
        if default_storage.get_modified_time(name).timestamp() <= latest
    ]


def _files(schedule_id: str) -> list[str]:
    try:
        return default_storage.listdir(f"{FOLDER}/{schedule_id}")[1]
    except (FileNotFoundError, NotADirectoryError):
        return []
