"""Exports, backups and what else is saved: written sealed where the site seals them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from statecore.ports.private_files import new_file
from statecore.sealing.files import open_sealed, read_head, sealing
from statecore.sealing.site import Part, sealing_of_site

EXPORT = "export"
"""The place of an export: it may be called anything, and be carried anywhere."""


def place_in_backup(backup: str, file: str) -> str:
    """The place of a file of a backup: it opens in no other one."""
    return f"backup {backup}/{file}"


def sealing_key_id() -> str:
    """With which key files are sealed now; empty when they are not."""
    key = sealing_of_site().key_for(Part.BACKUPS)
    return key.id if key else ""


@contextmanager
def new_sealed_file(path: Path, place: str, *, plain: bool = False) -> Iterator[IO[bytes]]:
    """A file to be written, sealed where the site seals backups; otherwise as ``new_file``.

    Raises:
        OSError: there is no room, or the place cannot be written to; nothing is left then.
    """
    key = None if plain else sealing_of_site().key_for(Part.BACKUPS)
    with new_file(path) as stream:
        if key is None:
            yield stream
            return
        with sealing(stream, key, place) as sealed:
            yield sealed


def open_file(path: Path, place: str) -> IO[bytes]:
    """A file for reading, sealed or not.

    Raises:
        SealFault: it does not open here.
        OSError: it cannot be read.
    """
    return open_sealed(path.open("rb"), sealing_of_site().ring, place)


def is_sealed(path: Path) -> bool:
    """Whether a file says that it is sealed.

    Raises:
        SealFault: it is cut off.
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        return read_head(stream, str(path)) is not None
