"""What callers hand in: values that can be kept, and names for what has none."""

from __future__ import annotations

import secrets
from typing import Any

from statecore import codec
from statecore.domain.errors import TooLarge
from statecore.domain.names import check_depth
from statecore.services.engine import get_limits


def encode_value(value: Any, field: str = "value") -> bytes:
    """A value as it is kept.

    Raises:
        InvalidInput: it is no JSON, or nested too deep.
        TooLarge: it is larger than a value may be.
    """
    check_depth(field, value)
    raw = codec.encode_json(value, field)
    most = get_limits().value_max_bytes
    if len(raw) > most:
        raise TooLarge(field, f"is {len(raw)} bytes of JSON; at most {most} are allowed")
    return raw


def new_id() -> str:
    """A name that nothing else has."""
    return secrets.token_hex(8)
