"""Rows of the state side: issues and entries against a bare GET, and against the promised times.

The promises are those of the users' first document (CONTRACTS section 6).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count as counting
from statistics import median
from typing import NamedTuple

import redis

from benchmarks.rows import BLOCKS, Row, make_row, time_pairs
from statecore.domain.issues import Claimant, Holder
from statecore.managers import UnifiedStateManager
from statecore.managers.transactions import Transaction
from statecore.services import checkouts, namespaced
from statecore.store import open_store
from statecore.store.base import Store

SEEN_GOAL = 1.35
ENTRIES = 300
"""How many issues and entries there are already, as in a state directory that is in use."""

Do = Callable[[], object]


class Action(NamedTuple):
    """Something to measure; ``before`` makes it possible and is not counted."""

    name: str
    do: Do
    before: Do
    redis_ms: float
    file_ms: float


def measure(store: Store, client: redis.Redis, count: int) -> Iterator[Row]:
    """Row 1 for each transition, then the promised times on Redis and on files."""
    client.set("bench:get", b"x" * 300)
    _fill(store)
    for action in _actions(store):
        values = time_pairs(action.do, lambda: client.get("bench:get"), count, action.before)
        yield make_row("1", action.name, values, "x GET", SEEN_GOAL)
    for action in _actions(store):
        values = _times_ms(action, count)
        yield make_row("promise", f"{action.name}, redis", values, "ms", action.redis_ms)
    with tempfile.TemporaryDirectory(prefix="orchard-bench-") as folder:
        files = open_store(f"file://{folder}/state")
        _fill(files)
        for action in _actions(files):
            values = _times_ms(action, min(count, 200))
            yield make_row("promise", f"{action.name}, files", values, "ms", action.file_ms)
        files.close()


def _fill(store: Store) -> None:
    manager = UnifiedStateManager(store)
    manager.set_all("bench", {f"key-{i}": {"n": i, "text": "x" * 100} for i in range(ENTRIES)})
    issues = {str(i): {"status": "completed"} for i in range(1, ENTRIES + 1)}
    manager.set_all("issues", issues)


def _actions(store: Store) -> Iterator[Action]:
    holder, me = Holder(process_id="bench", pid=1), Claimant(process_id="bench")
    numbers, values = counting(1_000), counting()

    def free() -> object:
        return store.run(checkouts.check_in(7, claimant=me))

    def check_out() -> object:
        return store.run(checkouts.check_out(7, holder))

    def set_one() -> object:
        return store.run(namespaced.put("bench", "key-5", {"n": next(values)}))

    def nothing() -> None:
        return None

    check_out()
    yield Action("check-out", check_out, free, 2, 15)
    yield Action(
        "heartbeat of an issue", lambda: store.run(checkouts.heartbeat(7, me)), nothing, 2, 15
    )
    free()
    yield Action("check-in", free, check_out, 2, 15)
    fresh = lambda: store.run(checkouts.check_out(next(numbers), holder))  # noqa: E731
    yield Action("check-out of an issue not seen before", fresh, nothing, 2, 15)
    yield Action("get", lambda: store.run(namespaced.get("bench", "key-5")), nothing, 1, 10)
    yield Action("set", set_one, nothing, 2, 15)
    manager = UnifiedStateManager(store)
    yield Action("transaction of three keys", lambda: manager.transaction(_move), nothing, 5, 50)


def _move(tx: Transaction) -> None:
    for key in ("key-1", "key-2", "key-3"):
        value = tx.get("bench", key)
        tx.set("bench", key, {**value, "n": value["n"] + 1})


def _times_ms(action: Action, count: int) -> list[float]:
    """Milliseconds that it takes: one median a block."""
    medians = []
    for _ in range(BLOCKS):
        times = []
        for _ in range(max(1, count // BLOCKS)):
            action.before()
            start = time.perf_counter()
            action.do()
            times.append((time.perf_counter() - start) * 1000)
        medians.append(median(times))
    return medians
