"""Searching lists that the engine keeps by time alone: page by page, so many entries at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from django.http import HttpRequest

from orchard.catalogue.texts import fold, parse_words

T = TypeVar("T")

TEXT_MAX = 200
PAGE = 50
_STRIDE = 200
SEARCHED = 2_000
"""So many entries are looked at before the page asks whether to go on."""

ReadPage = Callable[[int, str], tuple[Sequence[T], str | None]]
"""Reads so many entries after a cursor; they, and the cursor of the next page."""


def read_search(request: HttpRequest) -> str:
    """What is searched for."""
    return request.GET.get("q", "").replace("\0", " ").strip()[:TEXT_MAX]


def look_through(
    read: ReadPage[T], tell: Callable[[T], Sequence[object]], text: str, cursor: str
) -> tuple[list[T], str | None]:
    """The next entries that have all words of a text in what ``tell`` says of them.

    A page of a search holds as many as were among those looked at, which may be none.
    """
    words = parse_words(text)
    found: list[T] = []
    following: str | None = cursor
    if not words:
        page, following = read(PAGE, cursor)
        return list(page), following
    for _ in range(SEARCHED // _STRIDE):
        page, following = read(_STRIDE, following or "")
        found += [one for one in page if _has(words, tell(one))]
        if not following or len(found) >= PAGE:
            break
    return found, following


def is_found(text: str, parts: Sequence[object]) -> bool:
    """Whether all words of a text are in these parts."""
    return _has(parse_words(text), parts)


def query_of(**asked: str) -> str:
    """What was asked for as the query of an address, without a question mark."""
    return urlencode({name: value for name, value in asked.items() if value})


def _has(words: Sequence[str], parts: Sequence[object]) -> bool:
    told = fold("\n".join(str(part) for part in parts if part is not None))
    return all(word in told for word in words)
