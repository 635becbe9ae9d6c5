"""Gathering: one answer from the parts that several partitions hold.

Each function yields batches of requests to the engine below, whose replies it
is sent, and returns the answer; it does no I/O itself.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Generator, Sequence
from typing import Any

from msgspec.structs import replace

from statecore.store import ops
from statecore.store.layouts import Layout, tagged
from statecore.store.vectors import (
    MARK,
    entry_place,
    is_later,
    is_start,
    make_vector,
    parse_vector,
    start_at,
)

Batches = Generator[Sequence[ops.Request] | ops.Pause, Any, Any]

LOOK_S, LOOK_MAX_S = 0.01, 0.1
"""How often the parts of a stream are looked at while nothing comes: ever less often.

An engine of many machines wakes a reader for a stream of one machine only, and
a connection for each part of each reader would cost more than looking.
"""


def gather_values(read: ops.Read, layout: Layout, count: int) -> Batches:
    """What some places hold; counts over all parts of an index are added up."""
    refs, asked = read.refs, dict[int, list[tuple[int, ops.Ref]]]()
    for number, ref in enumerate(refs):
        for place in _places_of(ref, layout, count):
            asked.setdefault(place, []).append((number, ref))
    if not asked:  # only the time is asked for
        yield [ops.Read(())]
        return []
    replies = yield [
        replace(read, refs=tuple(replace(r, key=tagged(place, r.key)) for _, r in wanted))
        for place, wanted in asked.items()
    ]
    found: list[Any] = [None] * len(refs)
    for wanted, values in zip(asked.values(), replies, strict=True):
        for (number, ref), value in zip(wanted, values, strict=True):
            counts = isinstance(ref, ops.Count)
            found[number] = (found[number] or 0) + value if counts else _known(found[number], value)
    return found


def gather_page(scan: ops.ScanIndex, count: int) -> Batches:
    """One page over all parts of an index: the first entries of the pages of each part."""
    pages = yield [replace(scan, key=tagged(place, scan.key)) for place in range(count)]
    merged = heapq.merge(*pages, key=lambda entry: entry[::-1], reverse=scan.newest_first)
    return [entry for _, entry in zip(range(scan.limit), merged, strict=False)]


def gather_tail(tail: ops.Tail, count: int, is_closed: Callable[[], bool]) -> Batches:
    """Entries of all parts of a stream in the order of their times, after a vector."""
    positions = parse_vector(tail.after, count)
    if count == 1:
        (tailed,) = yield [replace(tail, key=tagged(0, tail.key), after=positions[0])]
        return tailed
    if MARK not in tail.after:
        positions = yield from _since(tail, positions)
    stop = time.monotonic() + tail.block_ms / 1000
    rest_s = LOOK_S
    while True:
        tailed, positions = yield from _look(tail, positions)
        left_s = stop - time.monotonic()
        if tailed.entries or tailed.reset or left_s <= 0 or is_closed():
            return tailed
        yield ops.Pause(min(rest_s, left_s))
        rest_s = min(rest_s * 1.5, LOOK_MAX_S)


def _look(
    tail: ops.Tail, positions: list[str]
) -> Generator[Sequence[ops.Request], Any, tuple[ops.Tailed, list[str]]]:
    """What the parts have after their positions, and the positions to go on from."""
    parts: list[ops.Tailed] = yield [
        ops.Tail(tagged(place, tail.key), "" if is_start(after) else after, tail.limit)
        for place, after in enumerate(positions)
    ]
    if any(_has_lost(part, after) for part, after in zip(parts, positions, strict=True)):
        ends = [part.cursor for part in parts]
        return ops.Tailed((), make_vector(ends), reset=True), ends
    arrived = heapq.merge(*(
        [(entry_place(entry_id, place), entry_id, raw) for entry_id, raw in part.entries]
        for place, part in enumerate(parts)
    ))  # fmt: skip
    reached = [_begin(part, after) for part, after in zip(parts, positions, strict=True)]
    found = []
    for _, (at, entry_id, raw) in zip(range(tail.limit), arrived, strict=False):
        reached[at[2]] = entry_id
        found.append((make_vector(reached), raw))
    return ops.Tailed(tuple(found), make_vector(reached)), reached


def _since(tail: ops.Tail, moments: list[str]) -> Generator[Sequence[ops.Request], Any, list[str]]:
    """The positions of a moment: a part whose first entry is later is read from its start."""
    parts: list[ops.Tailed] = yield [
        ops.Tail(tagged(place, tail.key), moment, 1) for place, moment in enumerate(moments)
    ]
    return [
        _after_moment(part, moment) if part.reset else moment
        for part, moment in zip(parts, moments, strict=True)
    ]


def _after_moment(part: ops.Tailed, moment: str) -> str:
    """Where a part stands at a moment that is not within it: at its end, or at its start."""
    return part.cursor if is_later(moment, part.cursor) else ""


def _has_lost(part: ops.Tailed, after: str) -> bool:
    """Whether entries of a part are gone that its reader has not had."""
    if part.reset or not (is_start(after) and after):
        return part.reset
    return not part.entries or start_at(part.entries[0][0]) != after


def _begin(part: ops.Tailed, after: str) -> str:
    """Where the reading of a part stands before any of its entries is given out."""
    if not part.entries:
        return part.cursor
    # "The start" is another place after a trim: say which one it is now, so that a reader
    # who goes on from there is told what it has missed.
    return after or start_at(part.entries[0][0])


def _places_of(ref: ops.Ref, layout: Layout, count: int) -> Sequence[int]:
    if ref.key not in layout.indexes:
        return (layout.place_of(ref.key, count),)
    if isinstance(ref, ops.Score):
        place = layout.place_of_member(ref.key, ref.member, count)
        if place is not None:
            return (place,)
    return range(count)


def _known(before: Any, value: Any) -> Any:
    return value if before is None else before
