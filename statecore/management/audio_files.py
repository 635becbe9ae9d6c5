"""The recordings in the site's storage."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from django.core.files.storage import Storage, default_storage

from statecore.services.backups import AudioFile

CHUNK_BYTES = 1024 * 1024


def list_audio(
    *, hashed: bool = False, storage: Storage = default_storage, folder: str = ""
) -> Iterator[AudioFile]:
    """Every file of a storage, by name; ``hashed`` reads them all."""
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:  # nothing was ever stored
        return
    prefix = f"{folder}/" if folder else ""
    for name in sorted(files):
        path = prefix + name
        try:
            digest = _sha256(storage, path) if hashed else ""
            yield AudioFile(path, storage.size(path), digest)
        except FileNotFoundError:  # deleted meanwhile
            continue
    for name in sorted(folders):
        yield from list_audio(hashed=hashed, storage=storage, folder=prefix + name)


def _sha256(storage: Storage, name: str) -> str:
    digest = hashlib.sha256()
    with storage.open(name) as stream:
        for chunk in stream.chunks(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
