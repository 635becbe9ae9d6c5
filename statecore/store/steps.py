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


def take_with(
    queue: str, leases: str, count: int, ttl_ms: int, mark: str, *beside: ops.Companion
) -> Steps[list[ops.Taken]]:
    """Lease members of a queue and read what is beside them; see :class:`ops.Take`."""
    asked = ops.Take(queue, leases, count, ttl_ms, mark, beside)
    return cast("list[ops.Taken]", (yield asked))


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
    locks = tuple(sorted(hot))
    values, at = yield ops.Begin(tuple(cells) if known is None else (), locks)
    fresh = known is not None or len(values) < len(cells)
    if known is not None:
        values = known
    elif fresh:
        values, at = yield from _read_cells(cells)
    for attempt in range(MAX_TRIES):
        decision = _decide(decide, values, at, fresh)
        if decision is None:
            values, at = yield from _read_cells(cells)
            fresh = True
            continue
        writes = decision.writes
        reply = (yield ops.Commit(values, writes)) if writes else None
        if isinstance(reply, ops.Conflict):
            values, fresh = reply.current, True
            if attempt:
                yield ops.Pause(random.uniform(0, _longest_pause_s(attempt)))  # noqa: S311
            at = yield _NOW
            continue
        yield ops.Finish(values, writes, locks)
        return decision.result
    raise TooManyConflicts(f"{MAX_TRIES} conflicts on {list(cells)[:3]}")


def _longest_pause_s(attempt: int) -> float:
    """Longer each time, so that many who collide on a slow disk spread out, too."""
    return 0.002 * attempt * max(1.0, attempt / 8)


def _read_cells(cells: Sequence[ops.Cell]) -> Steps[tuple[Seen, datetime]]:
    values = cast("list[Any]", (yield ops.Read(tuple(cells), is_proof=True)))
    return dict(zip(cells, values, strict=True)), (yield _NOW)


def _decide(decide: Decide[T], values: Seen, at: datetime, fresh: bool) -> Decision[T] | None:
    """The decision, or ``None`` when it must not be trusted before a real read."""
    try:
        decision = decide(values, at)
    except Exception:
        if fresh:
            raise
        return None
    return decision if fresh or decision.writes else None
