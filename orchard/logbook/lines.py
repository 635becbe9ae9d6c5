"""One line of the logbook: when, how grave, by whom, about what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import msgspec

from orchard.logbook.hiding import HIDDEN, clean, is_secret_name

LEVELS: Mapping[str, int] = MappingProxyType(
    {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
)
"""What a line may be, from least to most grave."""
_ALIASES = {"warn": "warning", "fatal": "critical", "notset": "debug", "trace": "debug"}

MESSAGE_MAX = 20_000
"""Longest message kept, in characters."""
NAME_MAX = 200
VALUE_MAX = 20_000
FIELDS_MAX = 40
DEEPEST = 6
NUMBER_MAX = 2**63
LEVEL_MAX = 100
AHEAD_MS = 60_000
"""How far a sender's clock may be ahead before its lines are filed at the time they came."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What one process said at one moment."""

    time_ms: int
    """Milliseconds since 1970."""
    message: str
    level: int = LEVELS["info"]
    logger: str = ""
    process: str = ""
    """The kind of program, such as ``web`` or ``agent``."""
    worker: str = ""
    job: str = ""
    issue: int | None = None
    fields: dict[str, Any] = {}
    """Whatever else the sender told."""


class FoundLine(Line, frozen=True, kw_only=True):
    """A line as it was found again."""

    id: int
    """Its place: lines are in order of time, then of arrival."""

    @property
    def time(self) -> datetime:
        """When it was said."""
        return datetime.fromtimestamp(self.time_ms / 1000, UTC)


def make_line(line: Line, now_ms: int) -> Line:
    """A line as it is kept: without secrets, within bounds, at a time that has been."""
    fields = {
        clean(name, NAME_MAX): clean_value(name, value)
        for name, value in list(line.fields.items())[:FIELDS_MAX]
    }
    time_ms = max(0, line.time_ms)
    if time_ms > now_ms + AHEAD_MS:
        fields["said_at"] = datetime.fromtimestamp(time_ms / 1000, UTC).isoformat()
        time_ms = now_ms
    return Line(
        time_ms=time_ms, level=max(0, min(line.level, LEVEL_MAX)),
        message=clean(line.message, MESSAGE_MAX),
        logger=clean(line.logger, NAME_MAX), process=clean(line.process, NAME_MAX),
        worker=clean(line.worker, NAME_MAX), job=clean(line.job, NAME_MAX), issue=line.issue,
        fields=fields,
    )  # fmt: skip


def clean_value(name: str, value: Any, depth: int = 0) -> Any:
    """A field's value without secrets; what JSON cannot say becomes text."""
    if is_secret_name(name) and value:
        return HIDDEN
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and abs(value) < NUMBER_MAX:
        return value
    if isinstance(value, Mapping) and depth < DEEPEST:
        return {
            clean(str(k), NAME_MAX): clean_value(str(k), v, depth + 1) for k, v in value.items()
        }
    if isinstance(value, list | tuple) and depth < DEEPEST:
        return [clean_value("", one, depth + 1) for one in value]
    return clean(str(value), VALUE_MAX)


def parse_level(value: str | int) -> int:
    """The level of a name such as ``warning``, or of a number as programs of Python use it.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, str):
        name = value.strip().lower()
        number = int(name) if name.isdecimal() and len(name) <= 3 else -1
        value = LEVELS.get(_ALIASES.get(name, name), number)
    if not 0 <= value <= LEVEL_MAX:
        allowed = ", ".join(LEVELS)
        raise ValueError(f"must be one of {allowed}, or a number from 0 to {LEVEL_MAX}")
    return value


def level_name(level: int) -> str:
    """What a level is called: the gravest name that it reaches."""
    return next((name for name, least in reversed([*LEVELS.items()]) if level >= least), "debug")
