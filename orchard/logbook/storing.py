"""What writing is in every log database: lines cleaned and in order, and each one's columns."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import msgspec

from orchard.logbook.contract import line_id
from orchard.logbook.lines import Line, make_line

Columns = tuple[object, ...]


def now_or(now_ms: int | None) -> int:
    """The time of a writing in milliseconds since 1970: this one, or else this moment."""
    return round(time.time() * 1000) if now_ms is None else now_ms


def cleaned(lines: Iterable[Line], now_ms: int) -> list[Line]:
    """These lines as they are kept, the oldest first."""
    return sorted((make_line(one, now_ms) for one in lines), key=lambda one: one.time_ms)


def places_after(last_seq: int, lines: Sequence[Line]) -> tuple[range, list[int]]:
    """The numbers of arrival of lines that come next, and their places."""
    seqs = range(last_seq + 1, last_seq + 1 + len(lines))
    return seqs, [line_id(line.time_ms, seq) for line, seq in zip(lines, seqs, strict=True)]


def fields_of(line: Line) -> str | None:
    """The other fields of a line as JSON; none when there are none."""
    return msgspec.json.encode(line.fields).decode() if line.fields else None


def columns_of(line: Line, seq: int, place: int, fields: str | None) -> Columns:
    """What stands in the columns of a line's row; empty text as nothing."""
    return (
        place, seq, line.level, line.logger or None, line.message, line.process or None,
        line.worker or None, line.job or None, line.issue, fields,
    )  # fmt: skip
