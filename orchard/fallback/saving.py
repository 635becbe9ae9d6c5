"""Saving what a fallback holds: an export of the state, and the jobs' records."""

from __future__ import annotations

from pathlib import Path

import msgspec

from orchard.domain.jobs import Job
from orchard.ports import kept_back
from orchard.services import selections
from statecore.ports.sealed_files import EXPORT, new_sealed_file, open_file
from statecore.services import transfer
from statecore.store.base import Store

_PLACE = "jobs of a fallback"
"""What their file is sealed for."""


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
    """
    with open_file(folder / kept_back.JOBS, _PLACE) as stream:
        return msgspec.json.decode(stream.read(), type=list[Job])
