"""Routing: the one partition that a commit belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec.structs import replace

from statecore.store import ops
from statecore.store.errors import CrossPartition
from statecore.store.gathering import Batches
from statecore.store.layouts import HOME, Layout, tagged

_OfMembers = ops.SortedAdd | ops.SortedAddFromNow | ops.SortedRemove


def route(commit: ops.Commit, layout: Layout, count: int) -> Batches:
    """A commit in its partition; members that may be in any part of an index leave all parts.

    Raises:
        CrossPartition: it changes, or expects something of, more than one entity's partition.
    """
    place = _place_of(commit, layout, count)
    strays = [write for write in _strays(commit.writes, layout, count) if count > 1]
    if strays:
        # Names that stand for nothing: to take them out repeatedly harms nobody, so
        # this comes first and needs no expectation.
        yield [
            ops.Commit({}, tuple(_moved(write, other) for write in strays))
            for other in range(count)
            if other != place
        ]
    cells = {replace(cell, key=tagged(place, cell.key)): cell for cell in commit.expected}
    expected = {moved: commit.expected[cell] for moved, cell in cells.items()}
    writes = tuple(_moved(write, place) for write in commit.writes)
    (reply,) = yield [ops.Commit(expected, writes)]
    if isinstance(reply, ops.Conflict):
        current = {cells[moved]: value for moved, value in reply.current.items()}
        return ops.Conflict(current)
    return reply


def _place_of(commit: ops.Commit, layout: Layout, count: int) -> int:
    places: dict[int, str] = {}
    for place, what in _touched(commit, layout, count):
        places.setdefault(place, what)
    if len(places) > 1:
        raise CrossPartition(f"{' and '.join(places.values())} are in different partitions")
    return next(iter(places), HOME)


def _touched(commit: ops.Commit, layout: Layout, count: int) -> Iterator[tuple[int, str]]:
    """Every partition that the commit must be in, with what is there."""
    for cell in commit.expected:
        yield layout.place_of(cell.key, count), cell.key
    for write in commit.writes:
        keys = write.keys if isinstance(write, ops.Delete) else (write.key,)
        for key in keys:
            if key in layout.indexes:
                yield from _members_at(write, layout, count)
            elif key not in layout.streams:
                yield layout.place_of(key, count), key


def _members_at(write: Any, layout: Layout, count: int) -> Iterator[tuple[int, str]]:
    for member in _members(write):
        place = layout.place_of_member(write.key, member, count)
        if place is not None:
            yield place, f"{member} of {write.key}"


def _strays(writes: Iterable[ops.Write], layout: Layout, count: int) -> Iterator[ops.SortedRemove]:
    """Removals of members that may be in any part."""
    for write in writes:
        if isinstance(write, ops.SortedRemove) and write.key in layout.indexes:
            lost = tuple(
                member
                for member in write.members
                if layout.place_of_member(write.key, member, count) is None
            )
            if lost:
                yield ops.SortedRemove(write.key, lost)


def _members(write: _OfMembers) -> Iterable[str]:
    if isinstance(write, ops.SortedAdd):
        return write.scores
    return write.delays_ms if isinstance(write, ops.SortedAddFromNow) else write.members


def _moved(write: ops.Write, place: int) -> ops.Write:
    if isinstance(write, ops.Delete):
        return ops.Delete(tuple(tagged(place, key) for key in write.keys))
    return replace(write, key=tagged(place, write.key))
