"""What has happened lately, the newest first: jobs, workers, issues, state, all in one stream.

The stream can be read forwards only, but its cursors are times: a stretch of
time before another one is read from a cursor that is made up. Stretches grow
until enough is found, so that quiet days cost no more than busy seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import msgspec

from statecore import keys
from statecore.domain.errors import InvalidInput
from statecore.store.errors import BadCursor
from statecore.store.steps import Steps, tail
from statecore.store.vectors import Place, place_of

FIRST_STRETCH_MS = 5_000
GROWTH = 4
MOST_READ = 6_000
"""After so many events a search rests, and says how far it has come."""
BATCH = 1_000

Wanted = Callable[[bytes], bool]
"""Whether an event, as its JSON, is one of those that are looked for."""


class Happening(msgspec.Struct, frozen=True):
    """One event, as JSON, and its place in the stream."""

    cursor: str
    raw: bytes


class Chronicle(msgspec.Struct, frozen=True, kw_only=True):
    """Some events, the newest first."""

    happenings: list[Happening]
    older: str = ""
    """Where to look for older ones; empty when there are none."""
    rested: bool = False
    """Whether the search rested before it had found as many as were asked for."""


def latest(wanted: Wanted, *, limit: int = 50, before: str = "") -> Steps[Chronicle]:
    """The latest events of those wanted, or the latest before a cursor.

    Raises:
        InvalidInput: the cursor is none.
    """
    start = (yield from tail(keys.EVENTS, "", 1)).entries
    if not start:
        return Chronicle(happenings=[])
    oldest, stop = _place(start[0][0]), (yield from _stop(before))
    found: list[Happening] = []
    stretch_ms, seen, at_start = FIRST_STRETCH_MS, 0, False
    while not at_start and len(found) <= limit and seen < MOST_READ:
        begin: Place = (stop[0] - stretch_ms, 0, 0)
        at_start = begin <= oldest
        read = yield from _between("" if at_start else _text(begin), stop)
        seen, stretch_ms = seen + len(read), stretch_ms * GROWTH
        found = [one for one in read if wanted(one.raw)] + found
        stop = (begin[0], 1, 0)
    shown = found[-limit:][::-1]
    if len(found) > limit:
        return Chronicle(happenings=shown, older=shown[-1].cursor)
    return Chronicle(happenings=shown, older="" if at_start else _text(stop), rested=not at_start)


def since(wanted: Wanted, cursor: str, *, limit: int = 200) -> Steps[tuple[Chronicle, str]]:
    """The events of those wanted after a cursor, the newest first, and the cursor to go on from.

    Raises:
        InvalidInput: the cursor is none, or older than all that is still known.
    """
    found: list[Happening] = []
    _place(cursor)
    for _ in range(MOST_READ // BATCH):
        try:
            tailed = yield from tail(keys.EVENTS, cursor, BATCH)
        except BadCursor:
            raise InvalidInput("cursor", "not a cursor of the events") from None
        if tailed.reset:
            raise InvalidInput("cursor", "too old: some events after it are no longer known")
        found += [Happening(*entry) for entry in tailed.entries if wanted(entry[1])]
        cursor = tailed.cursor
        if len(tailed.entries) < BATCH or len(found) >= limit:
            break
    return Chronicle(happenings=found[::-1]), cursor


def _stop(before: str) -> Steps[Place]:
    """The place before which all that is wanted lies."""
    if before:
        return _place(before)
    end = _place((yield from tail(keys.EVENTS, "$", 1)).cursor)
    return (end[0], end[1] + 1, 0)


def _between(after: str, stop: Place) -> Steps[list[Happening]]:
    """The events after a cursor and before a place, the oldest first."""
    found: list[Happening] = []
    while True:
        tailed = yield from tail(keys.EVENTS, after, BATCH)
        if tailed.reset and after:  # trimmed meanwhile: what is left begins later
            after = ""
            continue
        fitting = [Happening(*entry) for entry in tailed.entries if _place(entry[0]) < stop]
        found += fitting
        if len(fitting) < BATCH:
            return found
        after = tailed.cursor


def _text(place: Place) -> str:
    """A place as a cursor: the same moment in every part of the stream."""
    return f"{place[0]}-{place[1]}"


def _place(cursor: str) -> Place:
    try:
        return place_of(cursor) if cursor else _no_place()
    except BadCursor:
        return _no_place()


def _no_place() -> NoReturn:
    raise InvalidInput("cursor", "not a cursor of the events")
