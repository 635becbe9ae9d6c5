"""Recordings in parts (tus 1.0), for networks on which one long request does not get through."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping

from orchard_client.call import API, Answer, Call, answers, quoted
from orchard_client.models.uploads import PartUpload

_upload = answers(PartUpload)
_OCTETS = "application/offset+octet-stream"
_RESUMABLE = {"Tus-Resumable": "1.0.0"}
_DOOR = f"{API}/uploads/tus"


def create_upload(
    size: int, name: str, fields: Mapping[str, str] | None = None, *, first: bytes = b"",
    idempotency_key: str | None = None,
) -> Call[PartUpload]:  # fmt: skip
    """Begin an upload of so many bytes, with its ``first`` part if there is one.

    ``fields`` are those of a recording that is handed in at once, as a form spells them.
    """
    headers = {
        "Upload-Length": str(size),
        "Upload-Metadata": _metadata({"filename": name, **(fields or {})}),
        "Idempotency-Key": idempotency_key or uuid.uuid4().hex,
    }  # fmt: skip
    return Call(
        method="POST", path=_DOOR, read=_upload, body=first, kind=_OCTETS, repeatable=True,
        headers=_RESUMABLE | headers,
    )  # fmt: skip


def get_upload(upload_id: str) -> Call[PartUpload]:
    """How far an upload is, and the job that came of it."""
    return Call(
        method="GET", path=_of(upload_id), read=_upload, repeatable=True, headers=_RESUMABLE
    )


def send_upload_part(upload_id: str, part: bytes, offset: int) -> Call[int]:
    """Send a part, from where the upload ends on; how many bytes the server has then.

    It is not sent again by itself: what came of a part that was cut off is kept, and
    :func:`get_upload` says where to go on.
    """
    headers = _RESUMABLE | {"Upload-Offset": str(offset)}
    return Call(
        method="PATCH", path=_of(upload_id), read=_offset, body=part, kind=_OCTETS, headers=headers
    )


def delete_upload(upload_id: str) -> Call[None]:
    """Give an upload up; a job that came of it stays."""
    return Call(method="DELETE", path=_of(upload_id), read=lambda _: None, headers=_RESUMABLE)


def _offset(answer: Answer) -> int:
    return int(answer.headers["upload-offset"])


def _metadata(fields: Mapping[str, str]) -> str:
    """Fields as the protocol spells them."""
    return ",".join(
        f"{name} {base64.b64encode(str(value).encode()).decode()}" for name, value in fields.items()
    )


def _of(upload_id: str) -> str:
    return f"{_DOOR}/{quoted(upload_id)}"
