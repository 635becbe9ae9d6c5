"""Names that callers choose: of processes, namespaces, keys, locks; and how large values may be."""

from __future__ import annotations

import unicodedata
from typing import Any

from statecore.domain.errors import InvalidInput

NAME_MAX = 200
"""Longest name, in bytes of UTF-8."""
KEY_MAX = 1000
"""Longest key of an entry, in bytes of UTF-8."""
DEEPEST = 100
"""How deep a value may be nested."""

_SEPARATORS = frozenset(":/\\{}")


def check_name(field: str, name: object) -> str:
    """A name that can be part of a key and of an address.

    Raises:
        InvalidInput: it is empty, too long, or has separators or control characters.
    """
    text = check_key(field, name, NAME_MAX)
    if found := sorted(_SEPARATORS & set(text)):
        raise InvalidInput(field, f"must not contain {' '.join(found)}")
    if text != text.strip() or text.strip(".") == "":
        raise InvalidInput(field, "must not begin or end with a space, nor be dots alone")
    return text


def check_key(field: str, key: object, longest: int = KEY_MAX) -> str:
    """A key of an entry: any text without control characters.

    Raises:
        InvalidInput: it is no text, empty, too long, or has control characters.
    """
    if not isinstance(key, str):
        raise InvalidInput(field, "must be text")
    if not key:
        raise InvalidInput(field, "must not be empty")
    if len(key) > longest or len(key.encode("utf-8", "replace")) > longest:
        raise InvalidInput(field, f"must not be longer than {longest} bytes")
    if any(unicodedata.category(one) in ("Cc", "Cs") for one in key):
        raise InvalidInput(field, "must not contain control characters")
    return key


def check_depth(field: str, value: Any) -> None:
    """Refuse values that other programs could not read for their depth.

    Raises:
        InvalidInput: it is nested deeper than ``DEEPEST``.
    """
    level, inner = 0, [value]
    while inner:
        inner = [each for one in inner for each in _children(one)]
        level += 1
        if level > DEEPEST:
            raise InvalidInput(field, f"nested deeper than {DEEPEST} levels")


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
