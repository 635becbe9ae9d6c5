"""What searching is in every log database: books from the newest on, and lines in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from orchard.logbook.contract import Description, Page, SearchTooSlow, time_of
from orchard.logbook.lines import FoundLine


class Book(Protocol):
    """Some hours or days of lines."""

    @property
    def first_id(self) -> int | None:
        """The first place in it; none when it is empty."""
        ...

    @property
    def last_id(self) -> int | None:
        """The last place in it; none when it is empty."""
        ...

    @property
    def last_seq(self) -> int:
        """How many lines had arrived with its last one."""
        ...


BookT = TypeVar("BookT", bound=Book)
Look = Callable[[BookT, int], list[FoundLine]]
"""So many lines of a book at most."""


def newest_page(books: Sequence[BookT], limit: int, look: Look[BookT]) -> Page:
    """The lines with the last places, of as few books as will do."""
    lines: list[FoundLine] = []
    for book in sorted(books, key=lambda one: one.last_id or 0, reverse=True):
        if len(lines) > limit and lines[limit].id > (book.last_id or 0):
            break
        lines = _by_place([*lines, *look(book, limit + 1)])
    more = lines[limit - 1].id if len(lines) > limit else None
    return Page(lines=lines[:limit], next=more, arrived=_arrivals(books))


def arrived_page(books: Sequence[BookT], seq: int, limit: int, look: Look[BookT]) -> Page:
    """The lines that have arrived since there were ``seq``, the newest of them if too many."""
    lines: list[FoundLine] = []
    for book in books:
        if book.last_seq > seq and len(lines) < limit:
            lines += look(book, limit - len(lines))
    return Page(lines=_by_place(lines), arrived=_arrivals(books))


def may_hold(book: Book, bounds: tuple[int, int]) -> bool:
    """Whether some places of a book are within these bounds."""
    low, high = bounds
    return book.last_id is not None and book.last_id >= low and (book.first_id or 0) < high


def describe(kind: str, books: Sequence[Book], size: int) -> Description:
    """What a log database of these books holds; ``size`` in bytes."""
    firsts = [book.first_id for book in books if book.first_id is not None]
    lasts = [book.last_id for book in books if book.last_id is not None]
    return Description(
        kind=kind, books=len(books), bytes=size,
        oldest_ms=time_of(min(firsts)) if firsts else None,
        newest_ms=time_of(max(lasts)) if lasts else None,
    )  # fmt: skip


def line_of(row: Sequence[Any]) -> FoundLine:
    """A line by its columns: place, level, logger, message, process, worker, job, issue, fields."""
    place, level, logger, message, process, worker, job, issue, fields = row
    return FoundLine(
        id=place, time_ms=time_of(place), level=level, logger=logger or "", message=message,
        process=process or "", worker=worker or "", job=job or "", issue=issue,
        fields=msgspec.json.decode(fields) if fields else {},
    )  # fmt: skip


def too_slow() -> SearchTooSlow:
    """What is said of a search that took too long."""
    return SearchTooSlow("The search took too long; narrow it down")


def _by_place(lines: Iterable[FoundLine]) -> list[FoundLine]:
    return sorted(lines, key=lambda one: one.id, reverse=True)


def _arrivals(books: Sequence[Book]) -> int:
    return books[0].last_seq if books else 0
