"""Shapes of log lines: what programs send, what can be asked, and what is answered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from rest_framework import serializers

from orchard.logbook.contract import Search
from orchard.logbook.lines import LEVELS, MESSAGE_MAX, FoundLine, Line, level_name, parse_level
from orchard.logbook.terms import parse_words

LINES_MAX = 1000
"""Most lines in one body."""
PAGE_MAX = 1000
QUERY_MAX = 300
"""Longest text that is searched for, in characters."""
FOREVER_S = 253_402_300_799
"""The last second of the year 9999."""

Name = Annotated[str, Meta(max_length=200)]
IssueNumber = Annotated[int, Meta(ge=0, le=2**53)]
Seconds = Annotated[float, Meta(ge=0, le=FOREVER_S)]


class LogLineBody(msgspec.Struct, frozen=True, kw_only=True):
    """One log line; fields of other names are kept as ``fields``."""

    message: Annotated[str, Meta(min_length=1, max_length=3 * MESSAGE_MAX)]
    level: Annotated[
        str | int, Meta(description="A name such as `warning`, or a number as in Python.")
    ] = "info"
    time: Annotated[
        datetime | Seconds | None,
        Meta(description="ISO 8601 or seconds since 1970; the time of arrival unless given."),
    ] = None
    logger: Name = ""
    process: Annotated[str, Meta(max_length=200, examples=["agent"])] = ""
    worker: Annotated[str, Meta(max_length=200, examples=["kitchen-pc"])] = ""
    job: Name = ""
    issue: IssueNumber | None = None
    fields: dict[str, Any] = {}


class LogsBody(msgspec.Struct, frozen=True, kw_only=True):
    """Log lines of one program, in any order."""

    lines: Annotated[list[LogLineBody], Meta(max_length=LINES_MAX)]


class LevelField(serializers.CharField):
    """The name of a level, or its number."""

    def to_internal_value(self, data: Any) -> int:
        """The number.

        Raises:
            ValidationError: there is no such level.
        """
        try:
            return parse_level(super().to_internal_value(data))
        except ValueError as fault:
            raise serializers.ValidationError(str(fault)) from None


class LogQuery(serializers.Serializer):
    """Which lines to find; all that is given must be true of a line."""

    q = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=QUERY_MAX,
        help_text="Words that a line must contain, or parts of words; no sign has a meaning.",
    )  # fmt: skip
    level = LevelField(
        required=False, default=0,
        help_text=f"Lines at least this grave: {', '.join(LEVELS)}.",
    )  # fmt: skip
    process = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)
    worker = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)
    job = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)
    issue = serializers.IntegerField(required=False, default=None, min_value=0, max_value=2**53)
    since = serializers.DateTimeField(
        required=False, default=None, default_timezone=UTC, help_text="Lines of this time or later."
    )
    until = serializers.DateTimeField(
        required=False, default=None, default_timezone=UTC, help_text="Lines before this time."
    )
    limit = serializers.IntegerField(
        required=False, default=None, min_value=1, max_value=PAGE_MAX,
        help_text="Lines of a page (100 unless given).",
    )  # fmt: skip
    cursor = serializers.RegexField(
        r"^\d{1,18}$|^[1-8]\d{18}$", required=False, default="", allow_blank=True,
        help_text="The field `next` of the page before.",
    )  # fmt: skip
    format = serializers.ChoiceField(
        ("json", "ndjson"), required=False, default="json",
        help_text="`ndjson`: all lines found as a file, one JSON object a line; `limit` and"
        " `cursor` count as well.",
    )  # fmt: skip


class LogLineAnswer(serializers.Serializer):
    """One log line."""

    id = serializers.CharField()
    time = serializers.DateTimeField()
    level = serializers.CharField(help_text="Its name; see `level_number` for others' levels.")
    level_number = serializers.IntegerField()
    message = serializers.CharField()
    logger = serializers.CharField()
    process = serializers.CharField()
    worker = serializers.CharField()
    job = serializers.CharField()
    issue = serializers.IntegerField(allow_null=True)
    fields = serializers.DictField()


class LogsAnswer(serializers.Serializer):
    """Log lines, newest first."""

    lines = LogLineAnswer(many=True)
    next = serializers.CharField(allow_null=True, help_text="Cursor of the page after this one.")


class LogsTakenAnswer(serializers.Serializer):
    """How many lines were kept."""

    accepted = serializers.IntegerField()


def search_of(asked: dict[str, Any]) -> Search:
    """What is looked for, from a checked query."""
    return Search(
        words=parse_words(asked["q"]), level=asked["level"], process=asked["process"],
        worker=asked["worker"], job=asked["job"], issue=asked["issue"],
        since_ms=_ms(asked["since"]) if asked["since"] else 0,
        until_ms=_ms(asked["until"]) if asked["until"] else None,
    )  # fmt: skip


def line_of(body: LogLineBody, others: dict[str, Any], now_ms: int) -> Line:
    """A line as the logbook keeps it; ``others`` are its fields of other names.

    Raises:
        ValueError: it has a level that there is not.
    """
    return Line(
        time_ms=_time_ms(body.time, now_ms), level=parse_level(body.level), message=body.message,
        logger=body.logger, process=body.process, worker=body.worker, job=body.job,
        issue=body.issue, fields=body.fields | others,
    )  # fmt: skip


def shape_of(line: FoundLine) -> dict[str, Any]:
    """A line as it is answered."""
    return {
        "id": str(line.id), "time": line.time.isoformat(timespec="milliseconds"),
        "level": level_name(line.level), "level_number": line.level, "message": line.message,
        "logger": line.logger, "process": line.process, "worker": line.worker, "job": line.job,
        "issue": line.issue, "fields": line.fields,
    }  # fmt: skip


def _time_ms(time: datetime | float | None, now_ms: int) -> int:
    if time is None:
        return now_ms
    return _ms(time) if isinstance(time, datetime) else round(time * 1000)


def _ms(time: datetime) -> int:
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    return round(time.timestamp() * 1000)
