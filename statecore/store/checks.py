"""What a request must keep to before any store looks at it: one partition, sane numbers, one type.

Every store calls these first, so that a request which Redis would refuse
half-way through a script is refused by all of them, before anything is written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from statecore.store import ops
from statecore.store.errors import BadCursor, CrossPartition, StoreError, WrongType

MAX_TTL_MS = 100 * 365 * 24 * 3600 * 1000
"""A hundred years: beyond it an engine's arithmetic could overflow in mid-commit."""

Kind = str
"""A type of key, by the name that the engine gives it."""

STRING, HASH, SET, SORTED, STREAM = "string", "hash", "set", "zset", "stream"

_KIND_WRITTEN: dict[type[ops.Write], Kind] = {
    ops.HashSet: HASH,
    ops.HashDelete: HASH,
    ops.SetAdd: SET,
    ops.SetRemove: SET,
    ops.SortedAdd: SORTED,
    ops.SortedAddFromNow: SORTED,
    ops.SortedRemove: SORTED,
    ops.Append: STREAM,
}
_PARTITION = re.compile(r"\{p\d+\}")
_CURSOR = re.compile(r"(\d{1,20})(?:-(\d{1,20}))?", re.ASCII)


class Position(NamedTuple):
    """Where an entry stands in a stream; positions only grow, even when clocks do not."""

    ms: int
    sequence: int

    def __str__(self) -> str:
        return f"{self.ms}-{self.sequence}"


def check(request: ops.Request) -> None:
    """Refuse what no engine could do in one step.

    Raises:
        StoreError: see the checks of this module.
    """
    match request:
        case ops.Read(refs):
            one_partition(ref.key for ref in refs)
        case ops.Commit(_, writes):
            one_partition(touched_keys(request))
            for write in writes:
                if checked := _CHECKS.get(type(write)):
                    checked(write)
        case ops.Take():
            beside = (companion.key for companion in request.beside)
            one_partition((request.queue, request.leases, *beside))
            ttl(request.ttl_ms)
        case ops.ScanIndex(_, _, low, high, _, after):
            for bound in (low, high, after[0] if after else 0.0):
                score(bound)
        case ops.Tail(_, after, limit):
            at_least_one(limit, "The limit of a tail")
            cursor("" if after == "$" else after)


def _check_ttl(write: ops.Set | ops.Expire) -> None:
    if write.ttl_ms is not None:
        ttl(write.ttl_ms)


def _check_scores(write: ops.SortedAdd) -> None:
    for value in write.scores.values():
        score(value)


def _check_delays(write: ops.SortedAddFromNow) -> None:
    for delay_ms in write.delays_ms.values():
        delay(delay_ms)


def _check_bound(write: ops.Append) -> None:
    at_least_one(write.maxlen, "The bound of a stream")


_CHECKS: dict[type[ops.Write], Callable[[Any], None]] = {
    ops.Set: _check_ttl,
    ops.Expire: _check_ttl,
    ops.SortedAdd: _check_scores,
    ops.SortedAddFromNow: _check_delays,
    ops.Append: _check_bound,
}


def encode(text: str) -> bytes:
    """A key, field or member as the engine holds it; bytes of no text survive a round trip."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise StoreError(f"A name with half a character: {text!r}") from error


def decode(raw: bytes) -> str:
    """The text of a key, field or member; see :func:`encode`."""
    return raw.decode("utf-8", "surrogateescape")


def one_partition(keys: Iterable[str]) -> None:
    """Refuse keys that live in different partitions: no engine can change them in one step.

    Raises:
        CrossPartition: some key's tag ``{pNN}`` is missing or another.
    """
    keys = tuple(keys)
    if "{p" in "".join(keys):  # else it is the usual case, and done
        tags = {match.group() if (match := _PARTITION.match(key)) else "": key for key in keys}
        if len(tags) > 1:
            raise CrossPartition(f"{' and '.join(tags.values())} are in different partitions")


def touched_keys(commit: ops.Commit) -> list[str]:
    """Every key that a commit expects something of, or writes to."""
    keys = [cell.key for cell in commit.expected]
    for write in commit.writes:
        if type(write) is ops.Delete:
            keys += write.keys
        else:
            keys.append(write.key)  # type: ignore[union-attr]  # mypy narrows only isinstance
    return keys


def required_kinds(commit: ops.Commit) -> dict[str, Kind]:
    """The type that each key must have, or the key be absent, before this commit.

    Without this check a script would fail at the write to the key of a wrong
    type, with the writes before it already done.

    Raises:
        WrongType: the commit itself treats one key as two types.
    """
    required: dict[str, Kind] = {}
    current: dict[str, Kind | None] = {}
    for cell in commit.expected:
        _meet(cell.key, STRING if isinstance(cell, ops.Key) else HASH, required, current)
    for write in commit.writes:
        kind = _KIND_WRITTEN.get(type(write))
        if kind is not None:
            _meet(write.key, kind, required, current)  # type: ignore[union-attr]
        elif isinstance(write, ops.Set):
            current[write.key] = STRING
        elif isinstance(write, ops.Delete):
            current.update(dict.fromkeys(write.keys))
    return required


def _meet(key: str, kind: Kind, required: dict[str, Kind], current: dict[str, Kind | None]) -> None:
    if key not in current:
        required[key] = kind
    elif current[key] not in (None, kind):
        raise WrongType(f"{key} is not a {kind}")
    current[key] = kind


def ttl(ttl_ms: int) -> int:
    """A lifetime in ms.

    Raises:
        StoreError: it is not between 1 ms and a hundred years.
    """
    if not 0 < ttl_ms <= MAX_TTL_MS:
        raise StoreError(f"A lifetime of {ttl_ms} ms is not between 1 and {MAX_TTL_MS}")
    return ttl_ms


def delay(delay_ms: int) -> int:
    """A delay in ms, which may lie in the past.

    Raises:
        StoreError: it is more than a hundred years.
    """
    if abs(delay_ms) > MAX_TTL_MS:
        raise StoreError(f"A delay of {delay_ms} ms is beyond {MAX_TTL_MS}")
    return delay_ms


def score(value: float) -> float:
    """A score that sorts.

    Raises:
        StoreError: it is not a number.
    """
    if math.isnan(value):
        raise StoreError("A score must be a number, not NaN")
    return value


def at_least_one(value: int, what: str) -> int:
    """A count that means something.

    Raises:
        StoreError: it is less than one.
    """
    if value < 1:
        raise StoreError(f"{what} must be at least 1, not {value}")
    return value


def cursor(text: str) -> Position:
    """The position in a stream that a cursor names.

    Raises:
        BadCursor: no stream can have given it out.
    """
    match = _CURSOR.fullmatch(text or "0-0")
    position = Position(int(match[1]), int(match[2] or 0)) if match else None
    if position is None or max(position) >= 1 << 64:
        raise BadCursor(f"Not a cursor of a stream: {text[:50]!r}")
    return position
