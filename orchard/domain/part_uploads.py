"""Resumable uploads: a recording that comes in parts, on whose whole a job begins."""

from __future__ import annotations

import re

import msgspec

from orchard.domain.errors import NotFound, OrchardError
from orchard.domain.jobs import Wishes
from orchard.domain.orders import PLAIN, Order

_ID = re.compile(r"[0-9a-f]{32}")


class UnknownUpload(NotFound):
    """There is no such upload, or it has expired; begin anew"""

    code = "unknown_upload"


class WrongOffset(OrchardError):
    """The upload goes on somewhere else; ask where with HEAD"""

    code = "wrong_offset"


class UploadBusy(OrchardError):
    """Another request is writing to this upload; try again in a moment"""

    code = "upload_busy"


class UploadOverrun(OrchardError):
    """There are more bytes than the upload was said to have"""

    code = "too_large"


class PartUpload(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of an upload beside its bytes: they are counted in their file."""

    upload_id: str
    """32 hexadecimal characters that nobody can guess."""
    owner: str
    """Who began it, and may alone go on with it."""
    filename: str
    size: int
    """Of the whole, in bytes."""
    use_purifier: bool | None = None
    """Its owner's preference unless given."""
    language: str = ""
    wishes: Wishes | None = None
    order: Order = PLAIN
    idempotency_key: str = ""
    """By which its sender may repeat all of it; of its own unless given."""
    job_id: str = ""
    """The job that came of it, once it was handed in."""

    @property
    def key(self) -> str:
        """The key by which it is handed in: once, however often that is tried."""
        return self.idempotency_key or f"upload:{self.upload_id}"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How far an upload is."""

    upload: PartUpload
    offset: int
    """Bytes that are here."""
    expires_at: float
    """When it is given up unless it goes on, in seconds since the epoch."""


def is_upload_id(text: str) -> bool:
    """Whether an upload may be called so."""
    return _ID.fullmatch(text) is not None
