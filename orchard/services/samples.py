"""Samples: how much was waiting and done, every ten seconds, for the charts of the last hours."""

from __future__ import annotations

from datetime import datetime

import msgspec

from orchard import keys
from orchard.codec import UNREADABLE
from orchard.repository import epoch_ms
from orchard.services import counts, queries
from statecore.store import ops
from statecore.store.steps import Steps, now, tail

EVERY_S = 10.0
KEPT = 8640
"""A day of samples."""
BATCH = 5_000
MOST_BATCHES = 20

# How these events begin: counting them needs no more of them.
_COUNTED = (b'{"name":"chunk.completed",', b'{"name":"chunk.failed",', b'{"name":"chunk.doubted",')


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """What was waiting and working at a moment, and what was done since the sample before."""

    at: datetime
    waiting: int
    working: int
    workers: int
    busy: int
    completed: int = 0
    failed: int = 0
    completed_total: int = 0
    """Since samples are taken; it only grows."""
    failed_total: int = 0
    doubted_total: int = 0


def take_sample(cursor: str) -> Steps[str]:
    """Append a sample of this moment; the cursor from which the next one counts.

    An empty cursor begins to count now.
    """
    (completed, failed, doubted), cursor = yield from _count(
        cursor or (yield from queries.events_end())
    )
    load, stats = (yield from counts.get_load()), (yield from counts.get_stats())
    before = yield from last_sample()
    sample = Sample(
        at=(yield from now()), waiting=load.waiting_chunks, working=load.leased_chunks,
        workers=stats.workers.online + stats.workers.busy, busy=stats.workers.busy,
        completed=completed, failed=failed,
        completed_total=completed + (before.completed_total if before else 0),
        failed_total=failed + (before.failed_total if before else 0),
        doubted_total=doubted + (before.doubted_total if before else 0),
    )  # fmt: skip
    entry = ops.Append(keys.SAMPLES, (msgspec.json.encode(sample),), KEPT)
    yield ops.Commit({}, (entry,))
    return cursor


def last_sample() -> Steps[Sample | None]:
    """The newest sample; what it costs does not depend on how many there are."""
    end = (yield from tail(keys.SAMPLES, "$", 1)).cursor
    at_ms = end.partition("-")[0]
    if not at_ms.isdigit() or at_ms == "0":
        return None
    tailed = yield from tail(keys.SAMPLES, f"{int(at_ms) - 1}-0")
    if tailed.reset:  # nothing is older than the newest, so these are few
        tailed = yield from tail(keys.SAMPLES, "")
    return _decode(tailed.entries[-1][1]) if tailed.entries else None


def samples_since(at_ms: int) -> Steps[list[Sample]]:
    """The samples from a moment (epoch ms) on, oldest first."""
    found: list[Sample] = []
    cursor = f"{max(0, at_ms)}-0"
    while True:
        tailed = yield from tail(keys.SAMPLES, cursor, 2_000)
        found += filter(None, (_decode(raw) for _, raw in tailed.entries))
        if tailed.reset:
            cursor = ""
        elif not tailed.entries:
            return [one for one in found if epoch_ms(one.at) >= at_ms]
        else:
            cursor = tailed.cursor


def _decode(raw: bytes) -> Sample | None:
    try:
        return msgspec.json.decode(raw, type=Sample)
    except UNREADABLE:
        return None


def _count(cursor: str) -> Steps[tuple[list[int], str]]:
    """Chunks completed, given up and doubted since a cursor."""
    counts = [0] * len(_COUNTED)
    for _ in range(MOST_BATCHES):
        tailed = yield from queries.events_after(cursor, limit=BATCH)
        cursor = tailed.cursor
        for _, raw in tailed.entries:
            for i, name in enumerate(_COUNTED):
                counts[i] += raw.startswith(name)
        if len(tailed.entries) < BATCH:
            break
    return counts, cursor
