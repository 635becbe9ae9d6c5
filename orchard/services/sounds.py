"""The sound of chunks, for those who transcribe them, and of recordings, for those who listen."""

from __future__ import annotations

from typing import IO

from orchard.domain.errors import UnknownChunk
from orchard.domain.jobs import Job
from orchard.ports import recordings
from statecore.sealing.faults import BrokenSeal


def open_sound(name: str) -> tuple[IO[bytes], int]:
    """A file of sound in storage, for reading from its start, and its size in bytes.

    Raises:
        UnknownChunk: it is not there (any more), or was altered since it was sealed.
        StorageAway: the storage, or the key that it was sealed with, is not here now.
    """
    try:
        stream = recordings.open_read(name)
    except FileNotFoundError:
        raise UnknownChunk("The sound of this chunk is gone") from None
    except BrokenSeal as broken:
        raise UnknownChunk(str(broken)) from None
    size = stream.seek(0, 2)
    stream.seek(0)
    return stream, size


def open_recording(job: Job, *, cleaned: bool) -> tuple[IO[bytes], int]:
    """A job's recording as it was uploaded, or as it was cleaned, and its size in bytes.

    Raises:
        UnknownChunk: it is not there (yet).
    """
    return open_sound(recordings.clean_name(job.job_id) if cleaned else job.source)
