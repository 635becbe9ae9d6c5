"""Saving what a fallback holds: an export of the state, and the jobs' records."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import msgspec

from orchard.domain.jobs import Job
from orchard.ports import kept_back
from orchard.services import selections
from statecore.ports.export_format import BadExport
from statecore.ports.sealed_files import EXPORT, new_sealed_file, open_file
from statecore.services import transfer
from statecore.store.base import Store

_PLACE = "jobs of a fallback"
"""What their file is sealed for."""
_NAME = re.compile(r"[0-9A-Za-z_-]{1,100}")


def save(store: Store, folder: Path) -> None:
    """Write all of it to a folder, each file whole or not at all; nothing when there is nothing.

    Raises:
        OSError: there is no room, or the folder cannot be written to.
    """
    jobs = all_jobs(store)
    namespaces = store.run(transfer.take_snapshot()).namespaces
    if not jobs and not namespaces and not folder.exists():
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with new_sealed_file(folder / kept_back.STATE, EXPORT) as stream:
        transfer.export(store, stream)
    with new_sealed_file(folder / kept_back.JOBS, _PLACE) as stream:
        stream.write(msgspec.json.encode(jobs))


def all_jobs(store: Store) -> list[Job]:
    """Every job, the oldest first."""
    found: list[Job] = []
    after = None
    while True:
        page, after = store.run(selections.page_of_jobs(None, after))
        found += page
        if after is None:
            return found[::-1]


def load_jobs(folder: Path) -> list[Job]:
    """The jobs that a fallback has saved.

    Raises:
        SealFault: they were sealed with a key that is not here, or altered since.
        BadExport: they were altered, so that they are no jobs.
    """
    path = folder / kept_back.JOBS
    try:
        with open_file(path, _PLACE) as stream:
            jobs = msgspec.json.decode(stream.read(), type=list[Job])
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as fault:
        raise BadExport(f"{path}: holds no jobs: {fault}") from None
    for job in jobs:
        if not (_NAME.fullmatch(job.job_id) and _is_inside(job.source)):
            raise BadExport(f"{path}: holds a job that cannot be one: {job.job_id[:50]!r}")
    return jobs


def _is_inside(name: str) -> bool:
    """Whether a file's name leads to a place in the storage, wherever that is."""
    is_plain = "\0" not in name and ".." not in PurePosixPath(name).parts
    return bool(name) and is_plain and not name.startswith("/")
