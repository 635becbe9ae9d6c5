"""Requests and answers as they go over the channels (CONTRACTS section 4)."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

import msgspec

from statecore import codec
from statecore.domain.errors import InvalidInput
from statecore.domain.names import check_depth

LONGEST_ID = 1000
"""Longest ``requestId``, in characters."""
LONGEST_QUOTE = 200
"""How much of what somebody sent is repeated in an error, in characters."""

_UNTOLD = ("timestamp",)
"""What a client may say anew when it repeats a request."""


class Damaged(Exception):
    """A message that cannot be answered, because nothing says to whom."""


class Request(msgspec.Struct, frozen=True):
    """A message that can be answered, whatever else is wrong with it."""

    request_id: str | int
    message: dict[str, Any]
    fingerprint: str
    """The same for the same request, whenever it is sent again."""
    size: int
    """Bytes on the wire."""

    @property
    def sender(self) -> str:
        """Whose requests are answered one after the other."""
        return str(self.message.get("processId"))


def parse(raw: bytes) -> Request:
    """A request from what came over the channel.

    Raises:
        Damaged: it is no JSON object with a ``requestId``.
    """
    try:
        message = codec.decode_json(raw, "message")
        check_depth("message", message)
    except InvalidInput as fault:
        raise Damaged(str(fault)[:LONGEST_QUOTE]) from None
    if not isinstance(message, dict):
        raise Damaged("message: is no object")
    name = message.get("requestId")
    if isinstance(name, bool) or not isinstance(name, str | int) or name == "":
        raise Damaged("requestId: must be text")
    if len(str(name)) > LONGEST_ID:
        raise Damaged(f"requestId: is longer than {LONGEST_ID} characters")
    return Request(name, message, _fingerprint(message), len(raw))


def success(request: Request, at: datetime, result: dict[str, Any]) -> bytes:
    """The answer to a request that was done."""
    return _encode(request, at, {"success": True, **result})


def failure(request: Request, at: datetime, error: str, kind: str = "Error") -> bytes:
    """The answer to a request that was refused; ``kind`` is the kind of error."""
    return _encode(request, at, {"success": False, "error": error, "stack": f"{kind}: {error}"})


def answered_id(raw: bytes) -> object:
    """To which request an answer of somebody else belongs; ``None`` when it does not say."""
    try:
        answer = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return answer.get("requestId") if isinstance(answer, dict) else None


def quote(text: str) -> str:
    """What somebody sent, as far as it is repeated to them."""
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"


def _encode(request: Request, at: datetime, told: dict[str, Any]) -> bytes:
    answer = {"requestId": request.request_id, "timestamp": codec.iso(at), **told}
    # Escaped, so that half a character that somebody has sent can be sent back.
    return json.dumps(answer, separators=(",", ":")).encode()


def _fingerprint(message: dict[str, Any]) -> str:
    said = {name: value for name, value in message.items() if name not in _UNTOLD}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:32]
