"""How a log record is written: one line for people, or one JSON object for machines."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime


class LineFormatter(logging.Formatter):
    """Time, level, logger and message; a traceback follows on lines of its own."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        """The record's time in UTC."""
        return _time(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """The line; what a stranger sent cannot begin a new one."""
        return printable(super().formatMessage(record))


class JsonFormatter(logging.Formatter):
    """One JSON object a record, its traceback inside."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        facts = {
            "at": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            facts["traceback"] = self.formatException(record.exc_info)
        # Half a character (a lone surrogate in a file's name) cannot be written as it is.
        text = json.dumps(facts, ensure_ascii=False)
        return text.encode("utf-8", "backslashreplace").decode()


def _time(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def printable(text: str) -> str:
    """A text whose control characters are written out, so that they do nothing."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
