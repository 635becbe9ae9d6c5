"""Signatures as in the Standard Webhooks specification (symmetric, ``v1``)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence

PREFIX = "whsec_"
SECRET_BYTES = 32
"""Within the 24 to 64 bytes of the specification."""


def new_secret() -> bytes:
    """A key to sign with."""
    return os.urandom(SECRET_BYTES)


def spell(secret: bytes) -> str:
    """A key as receivers are given it."""
    return PREFIX + base64.b64encode(secret).decode()


def headers(
    message_id: str, timestamp: int, payload: bytes, secrets: Sequence[bytes]
) -> Mapping[str, str]:
    """The headers of one attempt at a moment (epoch s), signed with each of the keys."""
    signed = b"%b.%d.%b" % (message_id.encode(), timestamp, payload)
    signatures = (hmac.digest(secret, signed, hashlib.sha256) for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(
            f"v1,{base64.b64encode(signature).decode()}" for signature in signatures
        ),
    }
