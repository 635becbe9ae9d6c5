"""Finding jobs: a page of those of a state, in an order, whose names hold some words.

A page without words is walked along an index. With words there are two ways: few hits are
all fetched and sorted; of many, the next in the order are looked for along its index, where
they cannot be far. Neither way looks at more than some thousand rows. Only when there are
many hits and none is near, all hits are sorted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from orchard.catalogue import text_index
from orchard.catalogue.models import Reading
from orchard.domain.errors import InvalidInput
from orchard.page_places import Place, make_place, read_place

SORTS = {
    "newest": ("created_ms", "DESC"), "oldest": ("created_ms", "ASC"),
    "changed": ("updated_ms", "DESC"), "name": ("folded", "ASC"),
    "longest": ("duration_ms", "DESC"), "largest": ("bytes", "DESC"),
}  # fmt: skip
"""The orders, each by a column; jobs that are equal in it stand in the order they came."""
DEFAULT_SORT = "newest"
FEW = 2_000
"""So many hits are fetched and sorted."""
NEAR = 20_000
"""So many rows are walked to find some of many hits."""

Row = tuple[str, Any, int]
Condition = tuple[str, list[Any]]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which jobs, in which order."""

    words: tuple[str, ...] = ()
    """As :func:`orchard.catalogue.texts.parse_words` makes them."""
    status: str = ""
    sort: str = DEFAULT_SORT


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One page: ids, the cursor of the next page, and how many there are on all pages."""

    ids: list[str]
    next: str | None = None
    count: int | None = None
    """None when they were not counted: there are many."""


def find(wanted: Wanted, *, limit: int, cursor: str = "", using: str = "default") -> Found:
    """One page of the jobs in the catalogue.

    Raises:
        InvalidInput: the cursor is none of this order.
    """
    asking = _Asking(connections[using], wanted, _parse_cursor(wanted, cursor), limit + 1)
    count = None
    if not wanted.words:
        rows = asking.along_the_index()
    elif asking.has_few():
        rows, count = asking.few()
    else:
        near = asking.near()
        rows = asking.all_hits() if near is None else near
    last = rows[limit - 1] if len(rows) > limit else None
    place = make_place((wanted.sort, last[1], last[2])) if last else None
    return Found(ids=[row[0] for row in rows[:limit]], next=place, count=count)


def is_complete(using: str = "default") -> bool:
    """Whether all jobs were read once, so that what is not found is not there."""
    return Reading.objects.using(using).filter(is_complete=True).exists()


class _Asking:
    """The questions to the database for one page."""

    def __init__(
        self, connection: BaseDatabaseWrapper, wanted: Wanted, after: Place | None, limit: int
    ) -> None:
        self._connection = connection
        self._limit = limit
        self._column, self._direction = SORTS[wanted.sort]
        self._hits = text_index.hits(connection.vendor, wanted.words)
        self._words = text_index.check(connection.vendor, wanted.words)
        self._state = ("job.status = %s", [wanted.status]) if wanted.status else None
        self._after = (self._beyond, [*after[1:]]) if after else None

    @property
    def _beyond(self) -> str:
        sign = ">" if self._direction == "ASC" else "<"
        return f"(job.{self._column}, job.id) {sign} (%s, %s)"

    @property
    def _ordered(self) -> str:
        return f" ORDER BY job.{self._column} {self._direction}, job.id {self._direction}"

    def along_the_index(self) -> list[Row]:
        """A page without words."""
        return self._page("catalogue_job AS job", self._state, self._after)

    def has_few(self) -> bool:
        """Whether the index knows of few rows that may have the words."""
        text, values = self._hits
        counted = f"SELECT count(*) FROM ({text} LIMIT {FEW + 1}) AS hit"  # noqa: S608
        return int(self._ask(counted, values)[0][0]) <= FEW

    def few(self) -> tuple[list[Row], int]:
        """A page of few hits, and how many there are in all."""
        after, values = self._after or ("1 = 1", [])
        given, hits_values = self._from_hits()
        where, where_values = _all_of(self._state, self._words)
        text = (
            f"SELECT job.job_id, job.{self._column}, job.id, {after}"  # noqa: S608
            f" FROM {given}{where}{self._ordered}"
        )
        found = self._ask(text, [*values, *hits_values, *where_values])
        rest = [row[:3] for row in found if row[3]]
        return rest[: self._limit], len(found)

    def near(self) -> list[Row] | None:
        """A page of the next rows in the order; none when these do not fill it."""
        conditions = (self._state, self._after)
        where, values = _all_of(*conditions)
        border = self._ask(
            f"SELECT job.{self._column}, job.id FROM catalogue_job AS job"  # noqa: S608
            f"{where}{self._ordered} LIMIT 1 OFFSET {NEAR}", values,
        )  # fmt: skip
        sign = "<=" if self._direction == "ASC" else ">="
        until = (f"(job.{self._column}, job.id) {sign} (%s, %s)", [*border[0]]) if border else None
        rows = self._page("catalogue_job AS job", *conditions, until, self._words)
        return None if border and len(rows) < self._limit else rows

    def all_hits(self) -> list[Row]:
        """A page of all hits, sorted."""
        given, values = self._from_hits()
        return self._page(given, self._state, self._after, self._words, values=values)

    def _from_hits(self) -> tuple[str, list[Any]]:
        """The rows that the index names, and no other way to them."""
        text, values = self._hits
        if self._connection.vendor == "sqlite":
            return f"({text}) AS hit CROSS JOIN catalogue_job AS job ON job.id = hit.id", values
        return f"({text} OFFSET 0) AS hit JOIN catalogue_job AS job ON job.id = hit.id", values

    def _page(
        self, given: str, *conditions: Condition | None, values: Sequence[Any] = ()
    ) -> list[Row]:
        where, where_values = _all_of(*conditions)
        text = (
            f"SELECT job.job_id, job.{self._column}, job.id FROM {given}"  # noqa: S608
            f"{where}{self._ordered} LIMIT {self._limit}"
        )
        return self._ask(text, [*values, *where_values])

    def _ask(self, text: str, values: Sequence[Any]) -> list[Any]:
        with self._connection.cursor() as cursor:
            cursor.execute(text, values)
            return list(cursor.fetchall())


def _all_of(*conditions: Condition | None) -> Condition:
    asked = [condition for condition in conditions if condition]
    where = " AND ".join(text for text, _ in asked)
    return f" WHERE {where}" if where else "", [value for _, some in asked for value in some]


def _parse_cursor(wanted: Wanted, cursor: str) -> Place | None:
    if not cursor:
        return None
    try:
        sort, value, number = place = read_place(cursor)
    except ValueError:
        raise InvalidInput("cursor", "not a cursor of this list") from None
    is_text = SORTS[wanted.sort][0] == "folded"
    fits = isinstance(value, str) if is_text else isinstance(value, int) and abs(value) < 2**63
    if sort != wanted.sort or not fits or not isinstance(number, int) or abs(number) >= 2**63:
        raise InvalidInput("cursor", "not a cursor of this order")
    if isinstance(value, str) and "\0" in value:
        raise InvalidInput("cursor", "not a cursor of this list")
    return place
