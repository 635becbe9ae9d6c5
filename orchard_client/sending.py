"""Handing a recording in: at once, or in parts when it is large or the network is bad."""

from __future__ import annotations

import os
import uuid
from collections.abc import Generator, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any, BinaryIO

from orchard_client.call import Call
from orchard_client.calls import jobs, uploads
from orchard_client.errors import Conflict, NotFound, Throttled, Unavailable, Unreachable
from orchard_client.models.jobs import Job
from orchard_client.models.uploads import PartUpload
from orchard_client.steps import Rest, Steps, ask
from orchard_client.uploads import Progress, Sending, Upload, upload_of

RESUMABLE_FROM = 20_000_000
"""From this size on, in bytes, a recording goes in parts unless asked otherwise."""
PART_BYTES = 5_000_000
TRIES = 10
"""So often in a row a part may get nowhere, though the server answers between."""
_FIRST_S, _LONGEST_S = 0.25, 10.0
_PASSING = (Conflict, Throttled, Unavailable, Unreachable)


def submit(
    file: str | os.PathLike[str] | BinaryIO, *, name: str | None = None,
    language: str | None = None, prompt: str | None = None, hot_words: Sequence[str] = (),
    words: bool | None = None, purifier: bool | None = None, type: str | None = None,
    priority: str | int | None = None, requires: Sequence[str] = (),
    run_at: datetime | str | None = None, idempotency_key: str | None = None,
    progress: Progress | None = None, resumable: bool | None = None,
) -> Steps[Job]:  # fmt: skip
    """Hand in a recording: a path, or a file open for reading bytes.

    The arguments are those of ``submit_at_once``. A large recording goes in parts: when the
    connection breaks, it goes on where it was as soon as the server answers again. With
    ``resumable`` small ones do, too, or none.
    """
    upload = upload_of(file, name, progress)
    call = jobs.create_job(
        upload.source, name=upload.name, language=language, prompt=prompt, hot_words=hot_words,
        words=words, purifier=purifier, type=type, priority=priority, requires=requires,
        run_at=run_at, idempotency_key=idempotency_key, progress=progress,
    )  # fmt: skip
    if resumable or (resumable is None and _size(upload) >= RESUMABLE_FROM):
        key = idempotency_key or uuid.uuid4().hex
        try:
            return (yield from _send(upload, call, key))
        except _NoSuchDoor:
            if resumable:
                raise
    return (yield from ask(call))


class _NoSuchDoor(NotFound):
    """The server is older than uploads in parts."""


def _size(upload: Upload) -> int:
    with closing(upload.open()) as file:
        return file.size


def _send(upload: Upload, call: Call[Job], key: str) -> Steps[Job]:
    quiet = Upload(upload.source, upload.name)
    with closing(quiet.open()) as file:
        begin = uploads.create_upload(file.size, upload.name, call.form, idempotency_key=key)
        try:
            standing = yield from ask(begin)
        except NotFound as fault:
            raise _NoSuchDoor(fault.status, fault.code, fault.reason, fault.facts) from None
        yield from _Parts(file, standing, upload.progress).send()
    done = yield from ask(uploads.get_upload(standing.upload_id))
    if done.job is None:
        raise NotFound(404, "unknown_job", "The job has ended and expired meanwhile")
    return done.job


class _Parts:
    """The parts of one recording, one after the other."""

    def __init__(self, file: Sending, standing: PartUpload, progress: Progress | None) -> None:
        self._file, self._id, self._progress = file, standing.upload_id, progress
        self._offset, self._failures = standing.offset, 0

    def send(self) -> Generator[Call[Any] | Rest, Any, None]:
        """Send all that the server does not have."""
        while self._offset < self._file.size:
            self._file.seek(self._offset)
            part = self._file.read(PART_BYTES)
            try:
                here = yield from ask(uploads.send_upload_part(self._id, part, self._offset))
            except _PASSING as fault:
                here = yield from self._after(fault)
            self._note(here)

    def _after(self, fault: Exception) -> Generator[Call[Any] | Rest, Any, int]:
        """Where to go on after a part that did not get through.

        Raises:
            OrchardError: the server is away for too long, or nothing gets through to it.
        """
        self._failures += 1
        if self._failures > TRIES:
            raise fault
        yield Rest(min(_LONGEST_S, _FIRST_S * 2 ** (self._failures - 1)))
        standing = yield from ask(uploads.get_upload(self._id))
        return standing.offset

    def _note(self, here: int) -> None:
        if here > self._offset:
            self._failures = 0
        self._offset = here
        if self._progress:
            self._progress(here, self._file.size)
