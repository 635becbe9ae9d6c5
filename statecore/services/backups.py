"""Named backups of the state, with a list of the audio files that belong to it."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, cast

import msgspec

from statecore import codec
from statecore.domain.errors import InvalidInput
from statecore.ports import backup_directories as directories
from statecore.ports.backup_directories import AUDIO, STATE, BadBackup, Manifest
from statecore.ports.export_format import BadExport
from statecore.ports.sealed_files import (
    is_sealed,
    new_sealed_file,
    open_file,
    place_in_backup,
    sealing_key_id,
)
from statecore.sealing.faults import SealFault
from statecore.services import transfer
from statecore.services.imports import ImportReport, Mode, check_export, import_export
from statecore.services.orphans import is_alive
from statecore.services.transfer import Progress, quiet
from statecore.store.base import Store


class AudioFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """A recording in the storage: its name, and how to tell whether it is still the same."""

    name: str
    size: int
    sha256: str = ""
    """Empty when nobody has computed it."""


class Listed(msgspec.Struct, frozen=True):
    """A backup that is there, or why it cannot be used."""

    name: str
    manifest: Manifest | None
    fault: str = ""


class RestoreReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a restore did."""

    backup: str
    safety_backup: str
    imported: ImportReport
    audio_missing: list[str]
    """Recordings of that time that the storage no longer has, or has in another size."""


def create(
    store: Store, root: Path, name: str = "", audio: Iterable[AudioFile] = (),
    progress: Progress = quiet,
) -> Manifest:  # fmt: skip
    """Make a backup under a name, or under the time; what it says of itself.

    Raises:
        InvalidInput: the name will not do.
        BadBackup: there is one of this name.
        OSError: there is no room for it; nothing is left then.
    """
    at = store.now()
    name = directories.check_backup_name(name or at.strftime("%Y-%m-%dT%H-%M-%S-%fZ"))
    _clean_up(root)
    key_id = sealing_key_id()
    with directories.new_backup(root, name) as folder:
        with _packed(folder / STATE, name) as stream:
            report = transfer.export(store, stream, progress=progress)
        count, size = _write_audio(folder / AUDIO, name, audio)
        manifest = Manifest(
            name=name, created_at=codec.iso(at), source=store.name, files={},
            counts=report.counts, audio_files=count, audio_bytes=size, damaged=report.damaged,
            sealed_with=key_id or msgspec.UNSET,
            version=directories.SEALED_VERSION if key_id else directories.VERSION,
        )  # fmt: skip
        return directories.write_manifest(folder, manifest)


def list_backups(root: Path) -> list[Listed]:
    """All backups, the newest first; those that cannot be read last."""
    found = [_listed(root, name) for name in directories.list_names(root)]
    return sorted(found, key=lambda one: one.manifest.created_at if one.manifest else "")[::-1]


def verify(root: Path, name: str, progress: Progress = quiet) -> Manifest:
    """Compare a backup with its checksums, and look at every entry in it.

    Raises:
        BadBackup: it is not there, or something in it is not what it was; names it.
    """
    manifest = directories.read_manifest(root, name)
    directories.check_files(root, manifest)
    if {STATE, AUDIO} - manifest.files.keys():
        raise BadBackup(f"{root / name}: has no {STATE} and {AUDIO}")
    path = root / name / STATE
    try:
        _check_seals(root, manifest)
        check_export(path, progress, place=place_in_backup(name, STATE))
        list(read_audio(root, name))
    except (BadExport, SealFault) as fault:
        raise BadBackup(f"{path}: {fault}") from None
    return manifest


def restore(
    store: Store, root: Path, name: str, list_audio: Callable[[], Iterable[AudioFile]],
    mode: Mode = Mode.REPLACE, progress: Progress = quiet,
) -> RestoreReport:  # fmt: skip
    """Bring a backup back; what there is now is backed up before.

    Recordings are not restored: ``list_audio`` says which there are, and the
    report names those that are missing.

    Raises:
        BadBackup: it will not do; nothing was changed.
        OSError: there is no room for the backup of what there is now; nothing was changed.
    """
    verify(root, name, progress)
    stamp = store.now().strftime("%Y-%m-%dT%H-%M-%S-%fZ")
    audio = list(list_audio())
    safety = create(store, root, f"before-restore-{stamp}", audio, progress)
    imported = import_export(
        store, root / name / STATE, mode, progress=progress, place=place_in_backup(name, STATE)
    )
    there = {one.name: one.size for one in audio}
    missing = [one.name for one in read_audio(root, name) if there.get(one.name) != one.size]
    return RestoreReport(
        backup=name, safety_backup=safety.name, imported=imported, audio_missing=missing
    )


def read_audio(root: Path, name: str) -> Iterator[AudioFile]:
    """The recordings that a backup lists.

    Raises:
        BadBackup: the list is damaged.
    """
    path = root / name / AUDIO
    try:
        with open_file(path, place_in_backup(name, AUDIO)) as file, gzip.open(file) as stream:
            for line in stream:
                yield msgspec.json.decode(line, type=AudioFile)
    except (EOFError, OSError, msgspec.MsgspecError, UnicodeError, SealFault) as fault:
        raise BadBackup(f"{path}: is damaged: {fault}") from None


def prune(
    root: Path, *, keep: int | None = None, days: float | None = None, now: datetime
) -> list[str]:
    """Delete backups that are older than ``days``, or beyond the newest ``keep``; their names.

    With both, the newest ``keep`` stay however old they are. What cannot be read is never deleted.

    Raises:
        InvalidInput: a number is negative.
    """
    if (keep is not None and keep < 0) or (days is not None and days < 0):
        raise InvalidInput("keep", "must not be negative")
    if keep is None and days is None:
        return []
    known = [one.manifest for one in list_backups(root) if one.manifest]
    beyond = known[keep or 0 :]
    doomed = [one for one in beyond if days is None or _is_older(one, days, now)]
    for one in doomed:
        directories.delete(root, one.name)
    return [one.name for one in doomed]


def _is_older(manifest: Manifest, days: float, now: datetime) -> bool:
    return now - datetime.fromisoformat(manifest.created_at) > timedelta(days=days)


def _listed(root: Path, name: str) -> Listed:
    try:
        manifest = directories.read_manifest(root, name)
        datetime.fromisoformat(manifest.created_at).astimezone(UTC)
    except (BadBackup, InvalidInput, ValueError, OSError) as fault:
        return Listed(name, None, str(fault))
    return Listed(name, manifest)


def _write_audio(path: Path, name: str, audio: Iterable[AudioFile]) -> tuple[int, int]:
    count = size = 0
    with _packed(path, name) as stream:
        for one in audio:
            stream.write(msgspec.json.encode(one) + b"\n")
            count, size = count + 1, size + one.size
    return count, size


@contextmanager
def _packed(path: Path, backup: str) -> Iterator[IO[bytes]]:
    """A file that is packed while it is written; the same content gives the same bytes.

    They are others each time when the site seals its backups.
    """
    place = place_in_backup(backup, path.name)
    with new_sealed_file(path, place) as file, gzip.GzipFile("", "wb", 6, file, 0) as packed:
        yield cast("IO[bytes]", packed)


def _check_seals(root: Path, manifest: Manifest) -> None:
    """Refuse a backup of which somebody has put a plain file in place of a sealed one."""
    for name in manifest.files if manifest.sealed_with else ():
        if not is_sealed(root / manifest.name / name):
            raise BadBackup(f"{root / manifest.name / name}: is not sealed, and should be")


def _clean_up(root: Path) -> None:
    """Delete what processes have left that were killed."""
    for path, pid in directories.scratches(root):
        if pid != os.getpid() and not is_alive(pid):
            shutil.rmtree(path, ignore_errors=True)
