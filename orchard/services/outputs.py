"""Outputs: the files that jobs of other types than recordings lead to."""

from __future__ import annotations

from typing import IO

from orchard.domain.errors import UnknownOutput
from orchard.ports import recordings
from orchard.services.sounds import open_sound
from orchard.services.submissions import get_record
from statecore.store.steps import Steps


def find_output(job_id: str) -> Steps[str]:
    """The name of the file that a job led to.

    Raises:
        UnknownJob: there is no such job.
        UnknownOutput: it is a recording, or has led to nothing (yet).
    """
    job = yield from get_record(job_id)
    name = job.result.output if job.result else None
    if not isinstance(name, str):
        raise UnknownOutput
    return name


def open_output(job_id: str) -> tuple[IO[bytes], int]:
    """The file itself, for reading from its start, and its size in bytes.

    Raises:
        UnknownChunk: it is not in storage (any more).
    """
    return open_sound(recordings.output_name(job_id))
