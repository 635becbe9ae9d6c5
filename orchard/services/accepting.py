"""Accepting: a job's type looks at a file while it is handed in."""

from __future__ import annotations

import shutil
from pathlib import Path, PurePath
from typing import Any

from django.core.files import File

from orchard.domain.errors import InvalidInput
from orchard.domain.orders import AUDIO, Order
from orchard.jobtypes.base import Task, Unacceptable
from orchard.jobtypes.guarding import JobTypeFailed, guarded
from orchard.jobtypes.registry import find, titles, type_names
from orchard.ports import recordings


def list_types() -> tuple[str, ...]:
    """The names of all types of jobs, recordings first."""
    return type_names()


def title_of(name: str) -> str:
    """What people call a type of jobs; its name, when it is not known here."""
    return titles().get(name, name)


def check_acceptable(order: Order, upload: File[Any], filename: str) -> None:
    """Let a file in that its type can work on; what a recording is worth shows when it is decoded.

    A type that fails there is no fault of the file: its job comes in, and fails with the
    reason when the pipeline asks again.

    Raises:
        InvalidInput: there is no such type, or it says why it cannot work on the file.
    """
    if order.job_type == AUDIO:
        return
    if order.job_type not in type_names():
        known = ", ".join(type_names())
        raise InvalidInput("type", f"there is no type {order.job_type!r}; allowed: {known}")
    with recordings.room(), recordings.scratch() as folder:
        path = _local(upload, folder, PurePath(filename).suffix)
        own = folder / "own"
        own.mkdir()
        try:
            with guarded(order.job_type, "accept", Unacceptable):
                find(order.job_type).accept(Task(path=path, filename=filename, folder=own))
        except Unacceptable as reason:
            raise InvalidInput("file", str(reason)) from None
        except JobTypeFailed:
            return
        finally:
            upload.seek(0)


def _local(upload: File[Any], folder: Path, suffix: str) -> Path:
    """The uploaded file on the disk; a large one is there already."""
    if (path_of := getattr(upload, "temporary_file_path", None)) is not None:
        return Path(path_of())
    path = folder / f"source{suffix[:20]}"
    upload.seek(0)
    with path.open("wb") as copy:
        shutil.copyfileobj(upload, copy, 1 << 20)
    return path
