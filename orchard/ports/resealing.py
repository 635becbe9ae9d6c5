"""Files in the storage, sealed anew one by one while they are in use."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
from django.core.files.storage import default_storage

from orchard.ports import recordings, schedule_files
from statecore.sealing.faults import SealFault
from statecore.sealing.files import open_sealed, read_head
from statecore.sealing.key_ring import Key
from statecore.sealing.site import sealing_of_site


class FilesReport(msgspec.Struct):
    """What became of the files in the storage."""

    sealed: int = 0
    """Files that were sealed anew, or opened."""
    right: int = 0
    """Files that were so already."""
    damaged: list[str] = []
    """Files that do not open: they stay as they are."""


def reseal_files(key: Key | None, tell: Callable[[int], None]) -> FilesReport:
    """Have every file of jobs and schedules sealed with this key, or none; each whole all the time.

    A stage that is repeated meanwhile writes the same file again. Killed in the
    middle, it is begun again and goes past what it finds done.

    Raises:
        OSError: there is no room; what was done stays done.
    """
    report = FilesReport()
    for name in (*_names("jobs"), *_names(schedule_files.FOLDER)):
        try:
            _reseal(name, key, report)
        except FileNotFoundError:  # deleted meanwhile
            continue
        except SealFault:
            report.damaged.append(name)
        tell(report.sealed + report.right)
    return report


def _reseal(name: str, key: Key | None, report: FilesReport) -> None:
    with default_storage.open(name, "rb") as stream:
        head = read_head(stream, name)
    if (head.key_id if head else "") == (key.id if key else ""):
        report.right += 1
        return
    ring = sealing_of_site().ring
    with open_sealed(default_storage.open(name, "rb"), ring, name) as content:
        recordings.replace(name, content, key)
    report.sealed += 1


def _names(folder: str) -> Iterator[str]:
    try:
        folders, files = default_storage.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    yield from (f"{folder}/{name}" for name in sorted(files))
    for each in sorted(folders):
        yield from _names(f"{folder}/{each}")
