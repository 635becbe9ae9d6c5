"""Editing an entry by hand: JSON as somebody typed it, saved on exactly what they saw."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from statecore import codec
from statecore.domain.entries import Entry, Put, check_place
from statecore.domain.errors import InvalidInput, VersionConflict
from statecore.repository import entry_cells, find_entry
from statecore.services.namespaced import commit_if
from statecore.services.values import encode_value
from statecore.store.errors import TooManyConflicts
from statecore.store.steps import MAX_TRIES, Seen, Steps, read


class NotJson(InvalidInput):
    """A text is no JSON, from some place on."""

    def __init__(self, reason: str, line: int, column: int) -> None:
        super().__init__("value", f"{reason}: line {line} column {column}")
        self.reason = reason
        self.line = line
        """Counted from 1."""
        self.column = column
        """Counted from 1, in characters."""


def parse_text(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        NotJson: it does not parse; says where.
        InvalidInput: it parses, but has a key twice, or a number that is none.
    """
    text = text.replace("\r\n", "\n")
    try:
        json.loads(text)
    except json.JSONDecodeError as fault:
        raise NotJson(fault.msg, fault.lineno, fault.colno) from None
    except (ValueError, RecursionError):
        pass  # the stricter reading below says what is wrong
    return codec.decode_json(text)


def mark_of(entry: Entry | None) -> str:
    """What stands for exactly this content of an entry; empty for none."""
    if entry is None:
        return ""
    return f"{entry.version}.{hashlib.sha256(entry.raw).hexdigest()[:32]}"


def save(namespace: str, key: str, value: Any, *, mark: str) -> Steps[Entry | None]:
    """Set an entry that is still what ``mark`` stands for; what it was before.

    Programs that count no versions are noticed, too.

    Raises:
        VersionConflict: it is something else by now.
        InvalidInput: namespace, key or value will not do.
    """
    check_place(namespace, key)
    return (yield from _replace(namespace, key, encode_value(value), mark))


def remove(namespace: str, key: str, *, mark: str) -> Steps[Entry | None]:
    """Delete an entry that is still what ``mark`` stands for; what it was.

    Raises:
        VersionConflict: it is something else by now, or gone.
    """
    check_place(namespace, key)
    return (yield from _replace(namespace, key, None, mark))


def _replace(namespace: str, key: str, raw: bytes | None, mark: str) -> Steps[Entry | None]:
    cells = entry_cells(namespace, key)
    for _ in range(MAX_TRIES):
        seen: Seen = dict(zip(cells, (yield from read(*cells)), strict=True))
        before = find_entry(seen, namespace, key)
        if mark_of(before) != mark:
            version = before.version if before else None
            raise VersionConflict(f"{namespace}/{key} has changed", version=version, key=key)
        if (yield from commit_if(seen, [Put(namespace=namespace, key=key, raw=raw)])):
            return before
    raise TooManyConflicts(f"{namespace}/{key} kept changing while it was saved")
