"""What tests of resumable uploads share: requests as the protocol has them."""

from __future__ import annotations

import base64
from typing import Any

from django.test import Client

DOOR = "/api/v1/uploads/tus"
RESUMABLE = {"Tus-Resumable": "1.0.0"}
OCTETS = "application/offset+octet-stream"


def metadata(**fields: str) -> str:
    """Fields as ``Upload-Metadata`` spells them."""
    return ",".join(
        f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in fields.items()
    )


def begin(client: Client, size: int, content: bytes = b"", **fields: str) -> Any:
    """The answer to the beginning of an upload, with its first part if there is one."""
    headers = {"Upload-Length": str(size), "Upload-Metadata": metadata(**fields)}
    kind = OCTETS if content else "application/octet-stream"
    return client.post(DOOR, content, content_type=kind, headers=RESUMABLE | headers)


def begun(client: Client, size: int, **fields: str) -> str:
    """Where the parts of a new upload go."""
    answer = begin(client, size, filename="talk.wav", **fields)
    assert answer.status_code == 201, answer.content
    where: str = answer["Location"]
    return where


def send(client: Client, where: str, offset: int | str, content: bytes, **headers: str) -> Any:
    """The answer to a part of an upload."""
    kind = {"Content-Type": OCTETS}  # Django's client names none when there is no content
    headers = RESUMABLE | kind | {"Upload-Offset": str(offset)} | headers
    return client.patch(where, content, content_type=OCTETS, headers=headers)


def look(client: Client, where: str) -> Any:
    """The answer to the question how far an upload is."""
    return client.head(where, headers=RESUMABLE)
