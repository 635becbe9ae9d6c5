"""Drafts: the writes of one decision in the making, gathered so that each key is written once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from statecore.store import ops


class Later(NamedTuple):
    """A place in a sorted set by the server's clock: now plus so many milliseconds."""

    delay_ms: int


Place = float | Later | None
"""Where a member stands in a sorted set; ``None``: not in it."""


def epoch_ms(at: datetime) -> int:
    """Milliseconds since 1970."""
    return round(at.timestamp() * 1000)


class WriteDraft:
    """Writes of any kind; those to fields, members and streams are joined by key."""

    def __init__(self) -> None:
        self._whole: list[ops.Write] = []
        self._fields: dict[str, dict[str, bytes | None]] = {}
        self._members: dict[str, dict[str, bool]] = {}
        self._places: dict[str, dict[str, Place]] = {}
        self._entries: dict[str, tuple[list[bytes], int]] = {}

    def put(self, key: str, value: bytes, ttl_ms: int | None = None) -> None:
        """Write a plain value."""
        self._whole.append(ops.Set(key, value, ttl_ms))

    def delete(self, *keys: str) -> None:
        """Remove whole keys, before anything else is written to them."""
        self._whole.append(ops.Delete(keys))

    def expire(self, key: str, ttl_ms: int | None) -> None:
        """Let a key expire, or never."""
        self._whole.append(ops.Expire(key, ttl_ms))

    def fields(self, key: str, fields: Mapping[str, bytes | None]) -> None:
        """Write fields of a hash; ``None`` removes one."""
        self._fields.setdefault(key, {}).update(fields)

    def member(self, key: str, member: str, *, present: bool) -> None:
        """Put a member into a set, or take it out."""
        self._members.setdefault(key, {})[member] = present

    def place(self, key: str, member: str, place: Place) -> None:
        """Put a member where it stands in a sorted set, or take it out."""
        self._places.setdefault(key, {})[member] = place

    def append(self, key: str, entries: Sequence[bytes], maxlen: int) -> None:
        """Append entries to a stream that keeps about the last ``maxlen``."""
        if entries:
            self._entries.setdefault(key, ([], maxlen))[0].extend(entries)

    def writes(self) -> tuple[ops.Write, ...]:
        """All of it, one write for each key and kind."""
        found = list(self._whole)
        for key, fields in self._fields.items():
            found += _field_writes(key, fields)
        for key, members in self._members.items():
            found += _member_writes(key, members)
        for key, places in self._places.items():
            found += _moves(key, places)
        for key, (entries, maxlen) in self._entries.items():
            found.append(ops.Append(key, tuple(entries), maxlen))
        return tuple(found)


def _field_writes(key: str, fields: dict[str, bytes | None]) -> list[ops.Write]:
    kept = {name: value for name, value in fields.items() if value is not None}
    gone = tuple(name for name, value in fields.items() if value is None)
    writes: list[ops.Write] = [ops.HashSet(key, kept)] if kept else []
    return [*writes, ops.HashDelete(key, gone)] if gone else writes


def _member_writes(key: str, members: dict[str, bool]) -> list[ops.Write]:
    added = tuple(member for member, present in members.items() if present)
    gone = tuple(member for member, present in members.items() if not present)
    writes: list[ops.Write] = [ops.SetAdd(key, added)] if added else []
    return [*writes, ops.SetRemove(key, gone)] if gone else writes


def _moves(key: str, places: dict[str, Place]) -> list[ops.Write]:
    gone = tuple(member for member, place in places.items() if place is None)
    later = {m: place.delay_ms for m, place in places.items() if isinstance(place, Later)}
    fixed = {m: place for m, place in places.items() if isinstance(place, int | float)}
    moves: list[ops.Write] = []
    if gone:
        moves.append(ops.SortedRemove(key, gone))
    if later:
        moves.append(ops.SortedAddFromNow(key, later))
    if fixed:
        moves.append(ops.SortedAdd(key, fixed))
    return moves
