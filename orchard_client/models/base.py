"""What all answers have in common."""

from __future__ import annotations

import msgspec


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the API answers; fields that are not known here are passed over."""
