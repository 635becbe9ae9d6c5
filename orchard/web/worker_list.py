"""The list of workers: by name, in a state, in an order, page by page.

A fleet is some thousands at most. Names and last signs of life are in its index; records are
read of one page only, unless a state or an order is asked for that only the records tell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from orchard.catalogue.texts import fold, parse_words
from orchard.domain.errors import InvalidInput
from orchard.domain.workers import Worker, worker_id
from orchard.page_places import make_place, read_place
from orchard.services import counts, fleet_records, queries, run
from orchard.web import words
from orchard.web.access import may_act, page
from orchard.web.asked import Asked, read_asked
from orchard.web.list_words import ALL, WORKER_SORTS
from orchard.web.pages import show_workers
from orchard.web.shown import ShownWorker

PAGE = 60

Entry = tuple[str, float]
"""A worker's URL, and when it was last heard of (epoch ms)."""


@dataclass(frozen=True)
class Listed:
    """A page of workers, and how many there are on all pages."""

    workers: list[Worker]
    next: str
    count: int


@page
def workers(request: HttpRequest) -> HttpResponse:
    """The fleet, one card a worker."""
    asked = read_asked(request.GET, words.WORKER_STATES, WORKER_SORTS)
    cursor = run(queries.events_end())
    found = look(asked)
    states = words.WORKER_STATES.items()
    stats = run(counts.get_stats())
    context = {
        "page": "workers", "topic": "fleet", "cursor": cursor, "asked": asked, "found": found,
        "workers": show_workers(found.workers), "stats": stats, "sorts": WORKER_SORTS.items(),
        "filters": [
            ("", ALL, stats.workers.total, asked.query(status="")),
            *((name, label, None, asked.query(status=name)) for name, label in states),
        ],
        "first_url": asked.query(), "here_url": asked.query(cursor=asked.cursor),
        "next_url": asked.query(cursor=found.next) if found.next else "",
        "may_act": may_act(request.user),
        "master": request.build_absolute_uri("/").rstrip("/"),
    }  # fmt: skip
    return render(request, "orchard/workers.html", context)


@page
def cards(request: HttpRequest) -> HttpResponse:
    """The same page of workers, to be put in place; or (``?as=strip``) all as short lines."""
    if request.GET.get("as") == "strip":
        part, found = "worker_strip", run(queries.list_workers())
    else:
        asked = read_asked(request.GET, words.WORKER_STATES, WORKER_SORTS)
        part, found = "worker_cards", look(asked).workers
    context = {"workers": show_workers(found), "may_act": may_act(request.user)}
    return render(request, f"orchard/parts/{part}.html", context)


def look(asked: Asked) -> Listed:
    """The page of workers that is asked for.

    Raises:
        InvalidInput: the cursor is none of this order.
    """
    named = _named(run(fleet_records.list_urls()), asked.q)
    if not asked.status and asked.sort in _BY_ENTRY:
        by = _BY_ENTRY[asked.sort]
        entries, following = _page_of(named, lambda one: (by(one), one[0]), asked)
        shown = run(fleet_records.read_workers([url for url, _ in entries]))
        return Listed(shown, following, len(named))
    found = run(fleet_records.read_workers([url for url, _ in named]))
    fitting = [one for one in found if asked.status in ("", ShownWorker(one, ()).state)]
    by_record = _BY_RECORD[asked.sort]
    shown, following = _page_of(fitting, lambda one: (by_record(one), one.url), asked)
    return Listed(shown, following, len(fitting))


_BY_ENTRY: dict[str, Callable[[Entry], str | float]] = {
    "": lambda one: fold(worker_id(one[0])),
    "heard": lambda one: -one[1],
}
_BY_RECORD: dict[str, Callable[[Worker], str | float]] = {
    "": lambda one: fold(one.worker_id),
    "heard": lambda one: -one.last_updated.timestamp(),
    "fastest": lambda one: -(ShownWorker(one, ()).speed or 0),
    "done": lambda one: -one.completed,
}


def _named(entries: Sequence[Entry], text: str) -> list[Entry]:
    """Those whose name or address has all the words."""
    wanted = parse_words(text)
    return [one for one in entries if all(word in _told(one[0]) for word in wanted)]


def _told(url: str) -> str:
    return fold(f"{worker_id(url)}\n{url}")


def _page_of(
    found: Sequence[Any], order: Callable[[Any], Any], asked: Asked
) -> tuple[list[Any], str]:
    """The next of these in an order, and the cursor of those after them."""
    placed = sorted(((order(one), one) for one in found), key=lambda pair: pair[0])
    after = _parse_cursor(asked)
    rest = [pair for pair in placed if after is None or pair[0] > after]
    shown = [one for _, one in rest[:PAGE]]
    following = make_place((asked.sort, *rest[PAGE - 1][0])) if len(rest) > PAGE else ""
    return shown, following


def _parse_cursor(asked: Asked) -> tuple[Any, str] | None:
    if not asked.cursor:
        return None
    try:
        sort, value, url = read_place(asked.cursor)
    except ValueError:
        raise InvalidInput("cursor", "not a cursor of this list") from None
    if sort != asked.sort or isinstance(value, str) != (not sort) or not isinstance(url, str):
        raise InvalidInput("cursor", "not a cursor of this order")
    return value, url
