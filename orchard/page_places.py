"""Where a page of a list begins, as text for addresses: the sort values of the entry before."""

from __future__ import annotations

import base64
import binascii

import msgspec

Place = tuple[str, str | int | float, str | int]
"""The order, then two values that no two entries have in common."""


_decoder: msgspec.json.Decoder[Place] = msgspec.json.Decoder(Place)


def make_place(place: Place) -> str:
    """The text for an address."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def read_place(text: str) -> Place:
    """The place that a text stands for.

    Raises:
        ValueError: it stands for none.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)
        return _decoder.decode(raw)
    except (ValueError, binascii.Error, msgspec.MsgspecError, RecursionError):
        raise ValueError(f"no place of a list: {text[:50]!r}") from None
