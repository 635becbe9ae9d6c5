"""Outlooks: what waits, who is at what, and how fast they are, as a claim needs it.

A look costs at most four reads and sees the front of the queue and the leases alone, so it
takes as long with a million jobs as with one. While much is waiting, or nobody else is at
work, there is nothing to choose, and a process looks but once a second.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from orchard import codec, keys
from orchard.domain import assignments, queueing
from orchard.domain.assignments import Attempt, Hand, Outlook, Waiting
from orchard.domain.chunks import Chunk, parse_chunk_id
from orchard.domain.lifecycle import ChunkStatus, WorkerStatus
from orchard.domain.orders import AUDIO
from orchard.domain.workers import Worker, worker_url
from orchard.repository import chunk_cell, epoch_ms, worker_cell
from statecore.store.steps import Steps, now, read, scan_index

PLAIN_S = 1.0
"""So long a process takes for granted that there is nothing to choose, in seconds."""


class Sight(NamedTuple):
    """An outlook, and whether something is due that has lost its worker."""

    outlook: Outlook
    is_any_due: bool


class PlainTimes:
    """What a process remembers of its last look: that there was nothing to choose."""

    def __init__(self) -> None:
        self._until_s = 0.0

    def are_now(self) -> bool:
        """Whether there was nothing to choose just now."""
        return time.monotonic() < self._until_s

    def note(self, is_plain: bool) -> None:
        """Remember whether there was nothing to choose."""
        self._until_s = time.monotonic() + PLAIN_S if is_plain else 0.0


def look(worker: Worker) -> Steps[Sight]:
    """What there is for a worker to choose from."""
    at = yield from now()
    queued = yield from scan_index(keys.CHUNK_QUEUE, assignments.SEEN)
    leased = yield from scan_index(keys.CHUNK_LEASES, assignments.SEEN)
    running = yield from _read_running([name for name, _ in leased])
    held = [(name, one) for name, chunk in running for one in _attempts(name, chunk, at)]
    fleet = yield from _read_holders({one.worker_id for _, one in held} - {worker.worker_id})
    waiting = [Waiting(name, queueing.duration_ms_at(score) / 1000) for name, score in queued]
    hands = {one.worker_id: _hand(one) for one in [*fleet, worker]}
    outlook = Outlook(
        waiting, [one for _, one in held], hands, is_crowded=len(queued) == assignments.SEEN
    )
    return Sight(outlook, any(score <= epoch_ms(at) for _, score in leased))


def _read_running(names: Sequence[str]) -> Steps[list[tuple[str, Chunk]]]:
    places = {name: place for name in names if (place := parse_chunk_id(name))}
    if not places:
        return []
    raws = yield from read(*(chunk_cell(*place) for place in places.values()))
    found = [
        (name, chunk)
        for name, raw in zip(places, raws, strict=True)
        for chunk in codec.readable(codec.decode_chunk, [raw])
    ]
    return [(name, chunk) for name, chunk in found if chunk.status is ChunkStatus.RUNNING]


def _attempts(name: str, chunk: Chunk, at: datetime) -> Iterator[Attempt]:
    holders = [(chunk.worker_id, chunk.started_at)]
    if chunk.second:
        holders.append((chunk.second.worker_id, chunk.second.started_at))
    for worker_id, began in holders:
        elapsed_s = max(0.0, (at - (began or at)).total_seconds())
        yield Attempt(name, chunk.duration_ms / 1000, worker_id, elapsed_s)


def _read_holders(worker_ids: set[str]) -> Steps[list[Worker]]:
    urls = sorted(url for one in worker_ids if (url := worker_url(one)))
    raws = (yield from read(*map(worker_cell, urls))) if urls else []
    return codec.readable(codec.decode_worker, raws)


def _hand(worker: Worker) -> Hand:
    ratios = [speed.speed_ratio for speed in worker.performance_history if speed.job_type == AUDIO]
    is_here = worker.status is not WorkerStatus.OFFLINE
    return Hand(
        worker.worker_id, assignments.pace_of(ratios), max(1, worker.concurrency),
        takes_more=is_here and not (worker.draining or worker.paused),
    )  # fmt: skip
