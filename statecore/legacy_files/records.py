"""Records of issues as older programs have left them, put into the form of the contract.

What can be understood is put right; a value that cannot is kept in the record, under ``unread``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any, NamedTuple

from statecore import codec
from statecore.domain.errors import InvalidInput
from statecore.domain.issues import NUMBER_MAX
from statecore.domain.lifecycle import IssueStatus
from statecore.legacy_files.times import parse_time

UNREAD = "unread"
"""Where a record keeps the values that nobody could understand, by their names."""
NOBODY_KNOWN = "unknown"
"""Who holds an issue that is being processed, when its record does not say."""

_NUMBER = re.compile(r"\s*#?0*([1-9]\d{0,15})\s*", re.ASCII)
_STATUSES = {
    "done": "completed", "complete": "completed", "success": "completed", "processed": "completed",
    "closed": "completed", "failed": "error", "failure": "error", "in-progress": "processing",
    "running": "processing", "awaiting": "awaiting-response", "awaitingresponse":
    "awaiting-response", "waiting": "pending", "queued": "pending", "open": "pending",
    "new": "pending",
}  # fmt: skip
"""Other words for the states, as programs and people have written them."""


class Cleaned(NamedTuple):
    """A record that can be kept, and what people should know of it."""

    record: dict[str, Any]
    notes: tuple[str, ...]


class _Unread(ValueError):
    """A value makes no sense."""


def clean_number(key: object) -> str | None:
    """The number of an issue as a key, from whatever stands for one; ``None`` when nothing does."""
    if isinstance(key, bool) or not isinstance(key, int | str):
        return None
    match = _NUMBER.fullmatch(str(key)[:40])
    return match[1] if match and int(match[1]) <= NUMBER_MAX else None


def clean_record(found: Mapping[str, Any]) -> Cleaned:
    """A record that says the same as this one, in the form of the contract."""
    record, notes = dict(found), list[str]()
    unread: dict[str, Any] = {}
    for name, read in _READERS.items():
        if found.get(name) is not None:
            try:
                record[name] = read(found[name], name, notes)
            except _Unread:
                record[name], unread[name] = None, found[name]
    if unread:
        notes.append(f"not understood and kept under {UNREAD!r}: {', '.join(sorted(unread))}")
        before = found.get(UNREAD, {})
        record[UNREAD] = {**(before if isinstance(before, dict) else {UNREAD: before}), **unread}
    _settle(record, notes)
    return Cleaned(record, tuple(notes))


def _settle(record: dict[str, Any], notes: list[str]) -> None:
    """Let the record say a state, and by whom it is held."""
    if record.get("status") is None:
        record["status"] = str(IssueStatus.PENDING)
        notes.append("names no state that there is; pending")
    if record.get("metadata") is None:
        record.pop("metadata", None)  # absent reads as empty, null does not
    if record["status"] == IssueStatus.PROCESSING and not record.get("processId"):
        record["processId"] = record.get("checkedOutBy") or NOBODY_KNOWN
        notes.append(f"is being processed, not said by whom; {record['processId']}")


def _read_status(value: Any, name: str, notes: list[str]) -> str:
    if not isinstance(value, str):
        raise _Unread
    if value in tuple(IssueStatus):
        return value
    word = re.sub(r"[\s_]+", "-", value.strip().lower())
    word = _STATUSES.get(word, word)
    if word not in tuple(IssueStatus):
        raise _Unread
    notes.append(f"status {value!r} is read as {word}")
    return word


def _read_time(value: Any, name: str, notes: list[str]) -> str:
    at = parse_time(value)
    if at is None:
        raise _Unread
    if at.tzinfo is None:
        notes.append(f"{name} {value!r} names no time zone; read as UTC")
        at = at.replace(tzinfo=UTC)
    elif isinstance(value, str) and _is_exact(value):
        return value
    return codec.iso(at)


def _is_exact(text: str) -> bool:
    """Whether the record can hold the time in these words, however fine they are."""
    try:
        return codec.issue_from(1, {"status": "pending", "startTime": text}).start_time is not None
    except InvalidInput:
        return False


def _read_count(value: Any, name: str, notes: list[str]) -> int:
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,18}\s*", value, re.ASCII):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise _Unread
    return value


def _read_text(value: Any, name: str, notes: list[str]) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise _Unread
    return value


def _read_object(value: Any, name: str, notes: list[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Unread
    return value


_Reader = Callable[[Any, str, list[str]], Any]
_READERS: Mapping[str, _Reader] = {
    "status": _read_status,
    **dict.fromkeys(
        ("startTime", "lastHeartbeat", "endTime", "lastUpdated", "leaseUntil"), _read_time
    ),
    **dict.fromkeys(("pid", "token", "ttlMs"), _read_count),
    **dict.fromkeys(("processId", "taskType", "checkedOutBy", "host"), _read_text),
    "metadata": _read_object,
}
