"""Resumable uploads: begun, gone on with, handed in once, and given up when nobody does."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable

import msgspec

from orchard.conf import get_conf
from orchard.domain.errors import InvalidInput
from orchard.domain.jobs import check_filename
from orchard.domain.part_uploads import PartUpload, Standing, UnknownUpload, UploadBusy, WrongOffset
from orchard.ports import part_uploads
from orchard.services import quotas, uploads
from orchard.services.accepting import list_types
from orchard.services.engine import run


def new_id() -> str:
    """A name for an upload that nobody can guess."""
    return secrets.token_hex(16)


def begin(upload: PartUpload) -> Standing:
    """Make place for an upload, after what expired was cleared away.

    Raises:
        InvalidInput: it has no name, no bytes, or is of a type that there is not.
        QuotaExceeded: its owner has as much as may be already.
        StorageFull: there is no room for it.
        EngineAway: the engine cannot be reached; asked before anything is sent.
    """
    check_filename(upload.filename)
    if not upload.size:
        raise InvalidInput("file", "the file is empty")
    if upload.order.job_type not in list_types():
        known = ", ".join(list_types())
        raise InvalidInput("type", f"there is no type {upload.order.job_type!r}; allowed: {known}")
    run(quotas.check(upload.owner, upload.idempotency_key))
    clear()
    part_uploads.make(upload)
    return _standing(upload)


def look(upload_id: str, owner: str) -> Standing:
    """How far an upload is. One that is whole and was not handed in yet is so now.

    Raises:
        UnknownUpload: there is none of this id, it is somebody else's, or it has expired.
        InvalidInput, QuotaExceeded, EngineAway: as when it is handed in.
    """
    upload = _own(upload_id, owner)
    if not upload.job_id and part_uploads.count_bytes(upload) == upload.size:
        return append(upload_id, owner, upload.size, ())
    return _standing(upload)


def append(upload_id: str, owner: str, offset: int, pieces: Iterable[bytes]) -> Standing:
    """Write what comes from ``offset`` on; what is whole then is handed in.

    Raises:
        UnknownUpload: there is none of this id, it is somebody else's, or it has expired.
        WrongOffset: the upload goes on somewhere else.
        UploadBusy: somebody is writing to it.
        UploadOverrun: it is more than the upload was said to have; nothing of it is kept.
        StorageFull: there is no room; nothing of it is kept.
        InvalidInput: its type of jobs cannot work on it; nothing of the upload is kept.
        QuotaExceeded, EngineAway: it is not handed in yet; ask again later.
    """
    _own(upload_id, owner)
    with part_uploads.held(upload_id):
        upload = _own(upload_id, owner)
        here = part_uploads.count_bytes(upload)
        if offset != here:
            raise WrongOffset(offset=here)
        if not upload.job_id:
            part_uploads.append(upload, pieces)
            if part_uploads.count_bytes(upload) == upload.size:
                upload = _hand_in(upload)
        return _standing(upload)


def give_up(upload_id: str, owner: str) -> None:
    """Let go of an upload; a job that came of it stays.

    Raises:
        UnknownUpload: there is none of this id, or it is somebody else's.
        UploadBusy: somebody is writing to it.
    """
    _own(upload_id, owner)
    with part_uploads.held(upload_id):
        part_uploads.remove(upload_id)


def clear(at: float | None = None) -> int:
    """Let go of uploads that nobody went on with in time; how many there were."""
    count = 0
    for upload_id in part_uploads.list_ids():
        try:
            if _expires_at(upload_id) > (time.time() if at is None else at):
                continue
            with part_uploads.held(upload_id):
                part_uploads.remove(upload_id)
            count += 1
        except UploadBusy:
            continue
        except UnknownUpload:  # somebody else was faster, or died while it was made
            part_uploads.remove(upload_id)
    return count


def _hand_in(upload: PartUpload) -> PartUpload:
    try:
        with part_uploads.whole(upload) as file:
            job, _ = uploads.submit(
                file, owner=upload.owner, use_purifier=upload.use_purifier,
                language=upload.language, idempotency_key=upload.key, wishes=upload.wishes,
                order=upload.order,
            )  # fmt: skip
    except InvalidInput:
        part_uploads.remove(upload.upload_id)
        raise
    done = msgspec.structs.replace(upload, job_id=job.job_id)
    part_uploads.close(done)
    return done


def _own(upload_id: str, owner: str) -> PartUpload:
    upload = part_uploads.find(upload_id)
    if upload.owner != owner or _expires_at(upload_id) <= time.time():
        raise UnknownUpload
    return upload


def _standing(upload: PartUpload) -> Standing:
    return Standing(
        upload=upload, offset=part_uploads.count_bytes(upload),
        expires_at=_expires_at(upload.upload_id),
    )  # fmt: skip


def _expires_at(upload_id: str) -> float:
    return part_uploads.last_change(upload_id) + get_conf().upload_ttl_s
