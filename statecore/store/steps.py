"""Steps: what a service does with a store, written once for sync and async callers.

A service is a generator that yields requests and receives their replies. It
does no I/O itself; :meth:`Store.run` and :meth:`Store.arun` drive it. The one
read-decide-commit loop of the project, :func:`transact`, is such a generator.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from statecore.store import ops
from statecore.store.errors import TooManyConflicts

T = TypeVar("T")
Item = TypeVar("Item")
Steps = Generator[ops.Request | ops.Local, Any, T]
"""Requests to a store, and in the end a result of type ``T``."""

Seen = Mapping[ops.Cell, bytes | None]

_NOW = ops.Now()

MAX_TRIES = 50
"""Conflicts on one decision before giving up; with jitter this is never reached in practice."""


@dataclass(frozen=True, slots=True)
class Decision(Generic[T]):
    """What a decision wants written, and what it answers when that has happened."""

    result: T
    writes: tuple[ops.Write, ...] = ()


Decide = Callable[[Seen, datetime], Decision[T]]


def read(*refs: ops.Ref) -> Steps[list[Any]]:
    """Read some places at one moment, in the order asked."""
    return cast("list[Any]", (yield ops.Read(refs)))


def commit(expected: Seen, *writes: ops.Write) -> Steps[ops.Committed | ops.Conflict]:
    """Apply all writes if every expected cell still holds these bytes; see :class:`ops.Commit`."""
    return cast("ops.Committed | ops.Conflict", (yield ops.Commit(expected, writes)))


def take(queue: str, leases: str, count: int, ttl_ms: int) -> Steps[list[str]]:
    """Lease up to ``count`` members of a queue; see :class:`ops.Take`."""
    return cast("list[str]", (yield ops.Take(queue, leases, count, ttl_ms)))


def scan_index(key: str, limit: int, **bounds: Any) -> Steps[list[tuple[str, float]]]:
    """One page of a sorted set; see :class:`ops.ScanIndex`."""
    return cast("list[tuple[str, float]]", (yield ops.ScanIndex(key, limit, **bounds)))


def tail(key: str, after: str, limit: int = 500, block_ms: int = 0) -> Steps[ops.Tailed]:
    """Entries of a stream after a cursor; see :class:`ops.Tail`."""
    return cast("ops.Tailed", (yield ops.Tail(key, after, limit, block_ms)))


def locate(*keys: str) -> Steps[tuple[int, ...]]:
    """The partitions that these keys live in; what changes together must be in one."""
    return cast("tuple[int, ...]", (yield ops.Locate(keys)))


def group_by_partition(
    items: Sequence[Item], key_of: Callable[[Item], str]
) -> Steps[dict[int, list[Item]]]:
    """The items of each partition, in the order they came in."""
    groups: dict[int, list[Item]] = {}
    places = yield from locate(*map(key_of, items))
    for item, place in zip(items, places, strict=True):
        groups.setdefault(place, []).append(item)
    return groups


def now() -> Steps[datetime]:
    """The server's time."""
    return cast("datetime", (yield ops.Now()))


def transact(
    cells: Sequence[ops.Cell], decide: Decide[T], *, hot: Sequence[str] = (),
    known: Seen | None = None,
) -> Steps[T]:  # fmt: skip
    """Decide on the values of ``cells`` and commit against exactly those values.

    The first try decides on what this process last saw, if it saw all cells:
    usually that still holds, and the whole takes one round trip. On a conflict
    the reply holds the current values, and the decision is made again. A
    refusal, or a decision to write nothing, counts only on values really read;
    one that writes is proved by its commit, which expects all of the values. So what
    is answered is at a replica where commits count only then, also when it was done
    before, by somebody who was never told.

    ``known`` holds what all cells hold when the caller has just read them, or
    knows it otherwise: that a new random name stands for nothing yet.

    ``hot`` names keys that many threads of this process change: they queue for
    them here instead of colliding in the engine.

    Raises:
        TooManyConflicts: the cells changed under every one of ``MAX_TRIES`` tries.
    """
    if hot:
        yield ops.Hold(tuple(sorted(hot)))
    values: Seen = (yield ops.Recall(tuple(cells))) if known is None else known
    fresh = known is not None or len(values) < len(cells)
    if len(values) < len(cells):
        values = yield from _read_cells(cells)
    for attempt in range(MAX_TRIES):
        at = yield _NOW
        decision = _decide(decide, values, at, fresh)
        if decision is None:
            values, fresh = (yield from _read_cells(cells)), True
            continue
        reply = (yield ops.Commit(values, decision.writes)) if decision.writes else None
        if isinstance(reply, ops.Conflict):
            values, fresh = reply.current, True
            if attempt:
                yield ops.Pause(random.uniform(0, 0.002 * min(attempt, 10)))  # noqa: S311
            continue
        sizes = _sizes_changed(decision.writes)
        yield ops.Remember(_after(values, decision.writes, sizes), sizes)
        if hot:
            yield ops.LetGo(tuple(sorted(hot)))
        return decision.result
    raise TooManyConflicts(f"{MAX_TRIES} conflicts on {list(cells)[:3]}")


def _read_cells(cells: Sequence[ops.Cell]) -> Steps[Seen]:
    values = cast("list[Any]", (yield ops.Read(tuple(cells), is_proof=True)))
    return dict(zip(cells, values, strict=True))


def _decide(decide: Decide[T], values: Seen, at: datetime, fresh: bool) -> Decision[T] | None:
    """The decision, or ``None`` when it must not be trusted before a real read."""
    try:
        decision = decide(values, at)
    except Exception:
        if fresh:
            raise
        return None
    return decision if fresh or decision.writes else None


def _sizes_changed(writes: Sequence[ops.Write]) -> tuple[ops.Size, ...]:
    """The sizes that nobody knows after the writes, before they are read again."""
    keys: list[str] = []
    for write in writes:
        if isinstance(write, ops.HashSet | ops.HashDelete | ops.Set):
            keys.append(write.key)
        elif isinstance(write, ops.Delete):
            keys += write.keys
    return tuple(map(ops.Size, keys))


def _after(values: Seen, writes: Sequence[ops.Write], sizes: Sequence[ops.Size]) -> Seen:
    """What the cells decided on, and those written, hold after the writes; no changed sizes."""
    after = dict(values)
    for write in writes:
        if isinstance(write, ops.Set):
            after[ops.Key(write.key)] = write.value
        elif isinstance(write, ops.HashSet):
            for name, value in write.fields.items():
                after[ops.Field(write.key, name)] = value
        elif isinstance(write, ops.HashDelete):
            for name in write.names:
                after[ops.Field(write.key, name)] = None
        elif isinstance(write, ops.Delete):
            after |= {cell: None for cell in after if cell.key in write.keys}
    for size in sizes:
        after.pop(size, None)
    return after
