"""Cursors of pages: the last entry of a page, as text for addresses."""

from __future__ import annotations

import base64
import binascii
import math

from statecore.store.errors import BadCursor


def make_cursor(member: str, score: float) -> str:
    """The cursor of the page after this entry."""
    return base64.urlsafe_b64encode(f"{score!r}:{member}".encode()).decode().rstrip("=")


def parse_cursor(cursor: str) -> tuple[float, str] | None:
    """Score and member that a cursor stands for; ``None`` for the first page.

    Raises:
        BadCursor: it is no cursor.
    """
    if not cursor:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        score, _, member = text.partition(":")
        if math.isnan(float(score)):
            raise ValueError("no entry has such a score")
        return float(score), member
    except (ValueError, binascii.Error, UnicodeError):
        raise BadCursor(f"Not a cursor of a page: {cursor[:50]!r}") from None
