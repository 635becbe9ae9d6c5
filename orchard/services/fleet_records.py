"""Workers, many at a time: who there is, and the records of some of them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from orchard import codec, keys
from orchard.codec import readable
from orchard.domain.lifecycle import WorkerStatus
from orchard.domain.workers import Worker
from orchard.repository import epoch_ms, worker_cell
from orchard.services.counts import worker_bounds
from statecore.store.steps import Steps, read, scan_index

BATCH = 500
"""So many are read at one moment, so that nobody else waits long for the engine."""


def list_urls() -> Steps[list[tuple[str, float]]]:
    """The URLs of the whole fleet, each with when it was last heard of (epoch ms)."""
    _, gone_ms = yield from worker_bounds()
    found: list[tuple[str, float]] = []
    after: tuple[float, str] | None = None
    while True:
        page = yield from scan_index(keys.WORKERS, BATCH, low=gone_ms, after=after)
        found += page
        if len(page) < BATCH:
            return found
        url, heard_ms = page[-1]
        after = (heard_ms, url)


def read_workers(urls: Sequence[str]) -> Steps[list[Worker]]:
    """Those of these workers that there are, in the order of the URLs, as they stand now."""
    heard_ms, _ = yield from worker_bounds()
    found: list[Worker] = []
    for start in range(0, len(urls), BATCH):
        raws = yield from read(*map(worker_cell, urls[start : start + BATCH]))
        known = readable(codec.decode_worker, raws)
        found += [_as_of(worker, heard_ms) for worker in known]
    return found


def _as_of(worker: Worker, heard_ms: float) -> Worker:
    if epoch_ms(worker.last_updated) >= heard_ms:
        return worker
    return msgspec.structs.replace(worker, status=WorkerStatus.OFFLINE)
