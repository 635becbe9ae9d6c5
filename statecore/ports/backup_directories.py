"""Named backups in a directory: each a folder of its own, which appears whole or not at all."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from statecore.domain.errors import InvalidInput
from statecore.domain.names import check_name
from statecore.ports.private_files import new_file
from statecore.store.file_disk import sync_directory

MANIFEST, STATE, AUDIO = "manifest.json", "state.json.gz", "audio.jsonl.gz"
FORMAT, VERSION, SEALED_VERSION = "orchard-backup", 1, 2
_SCRATCH = re.compile(r"\..*\.(\d+)\.tmp")


class BadBackup(ValueError):
    """A backup is not there, or not what its manifest says; says which."""


class Stored(msgspec.Struct, frozen=True):
    """One file of a backup."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a backup says of itself; ``sha256`` is over all the rest."""

    name: str
    created_at: str
    source: str
    files: dict[str, Stored]
    counts: dict[str, int]
    audio_files: int
    audio_bytes: int
    damaged: list[str] = []
    sealed_with: str | msgspec.UnsetType = msgspec.UNSET
    """The id of the key that its other files are sealed with."""
    format: str = FORMAT
    version: int = VERSION
    sha256: str = ""


def check_backup_name(name: str) -> str:
    """A name that a folder can have.

    Raises:
        InvalidInput: it cannot.
    """
    check_name("name", name)
    if name.startswith((".", "-")):
        raise InvalidInput("name", "must not begin with a dot or a dash")
    return name


@contextmanager
def new_backup(root: Path, name: str) -> Iterator[Path]:
    """A folder to fill; it gets its name when all is well, and is gone otherwise.

    Raises:
        BadBackup: there is one of this name.
        OSError: there is no room, or the place cannot be written to.
    """
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (root / name).exists():
        raise BadBackup(f"{root / name}: there is a backup of this name")
    with scratch_folder(root, name) as scratch:
        yield scratch
        sync_directory(scratch)
        scratch.rename(root / name)
        sync_directory(root)


@contextmanager
def scratch_folder(root: Path, name: str) -> Iterator[Path]:
    """A folder beside the backups, to be filled and renamed; gone when something goes wrong."""
    scratch = root / f".{name[:100]}.{os.getpid()}.tmp"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=0o700)
    try:
        yield scratch
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise


def write_manifest(folder: Path, manifest: Manifest) -> Manifest:
    """Write the manifest of a folder whose other files are there; as it was written."""
    files = {path.name: _stored(path) for path in sorted(folder.iterdir()) if path.name != MANIFEST}
    whole = msgspec.structs.replace(manifest, files=files)
    whole = msgspec.structs.replace(whole, sha256=_checksum(whole))
    with new_file(folder / MANIFEST) as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(whole)) + b"\n")
    return whole


def read_manifest(root: Path, name: str) -> Manifest:
    """What a backup says of itself.

    Raises:
        BadBackup: there is none of this name, or its manifest was altered.
        InvalidInput: it cannot be a name.
    """
    path = root / check_backup_name(name) / MANIFEST
    try:
        found = msgspec.json.decode(path.read_bytes())
        _check_version(path, found)
        manifest = msgspec.convert(found, Manifest)
    except FileNotFoundError:
        raise BadBackup(f"{root / name}: there is no such backup") from None
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as fault:
        raise BadBackup(f"{path}: is damaged: {fault}") from None
    if manifest.sha256 != _checksum(manifest):
        raise BadBackup(f"{path}: was altered: its checksum does not fit")
    if manifest.name != name:
        raise BadBackup(f"{path}: is the backup {manifest.name!r}; give its folder that name again")
    return manifest


def check_files(root: Path, manifest: Manifest) -> None:
    """Compare the files of a backup with its manifest.

    Raises:
        BadBackup: one is missing or altered; names it.
    """
    for name, stored in manifest.files.items():
        path = root / manifest.name / check_backup_name(name)
        if not path.is_file():
            raise BadBackup(f"{path}: is missing")
        if _stored(path) != stored:
            raise BadBackup(f"{path}: was altered: its checksum does not fit")


def list_names(root: Path) -> list[str]:
    """The folders that are there, finished or not readable; by name."""
    if not root.is_dir():
        return []
    return sorted(path.name for path in root.iterdir() if (path / MANIFEST).is_file())


def delete(root: Path, name: str) -> None:
    """Delete a backup; it is out of sight before the first of its files is gone."""
    scratch = root / f".{check_backup_name(name)[:100]}.{os.getpid()}.tmp"
    (root / name).rename(scratch)
    shutil.rmtree(scratch)


def scratches(root: Path) -> Iterator[tuple[Path, int]]:
    """What killed processes have left, with their pids."""
    for path in root.iterdir() if root.is_dir() else ():
        if match := _SCRATCH.fullmatch(path.name):
            yield path, int(match[1])


def _check_version(path: Path, found: Any) -> None:
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise BadBackup(f"{path}: is no backup of this program")
    version = found.get("version")
    if isinstance(version, int) and version > SEALED_VERSION:
        raise BadBackup(
            f"{path}: is of version {version}; this program reads up to {SEALED_VERSION}"
        )


def _checksum(manifest: Manifest) -> str:
    plain = msgspec.structs.replace(manifest, sha256="")
    return hashlib.sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()


def _stored(path: Path) -> Stored:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Stored(path.stat().st_size, digest)
