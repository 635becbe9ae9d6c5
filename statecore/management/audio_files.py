"""The recordings in the site's storage."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from django.core.files.storage import Storage, default_storage

from statecore.sealing.files import open_sealed, plain_size
from statecore.sealing.site import sealing_of_site
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
            yield AudioFile(path, _size(storage, path), digest)
        except FileNotFoundError:  # deleted meanwhile
            continue
    for name in sorted(folders):
        yield from list_audio(hashed=hashed, storage=storage, folder=prefix + name)


def _size(storage: Storage, name: str) -> int:
    """Bytes of a recording, which its seal is none of."""
    if sealing_of_site().ring is None:
        return storage.size(name)
    with storage.open(name) as stream:
        return plain_size(stream, name)


def _sha256(storage: Storage, name: str) -> str:
    digest = hashlib.sha256()
    with open_sealed(storage.open(name), sealing_of_site().ring, name) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
