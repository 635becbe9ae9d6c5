"""Exchanges: a worker says what became of its chunks and gets the next ones, in one call."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import msgspec

from orchard.domain.errors import WorkerUnavailable
from orchard.domain.workers import Worker
from orchard.services.claims import Claimed, claim, take_next, takes_what_comes
from orchard.services.hearing import hear
from orchard.services.lookups import get_worker, url_of
from orchard.services.said import Outcome, Said
from orchard.services.starts import start_all
from statecore.store.steps import Steps
from statecore.store.together import together


class Exchanged(msgspec.Struct, frozen=True, kw_only=True):
    """What became of what was said, and what the worker holds now in addition."""

    worker: Worker
    outcomes: list[Outcome]
    claimed: list[Claimed]


def exchange(worker_id: str, said: Sequence[Said], *, max_chunks: int) -> Steps[Exchanged]:
    """Take what a worker says, as a sign of life, then claim up to ``max_chunks``.

    A worker that is draining or paused gets none; what it says counts all the same.
    Two round trips to the engine while there is more to do than to choose from, whatever the
    number of chunks: what is next in the queue is taken beside the hearing, then started.

    Raises:
        UnknownWorker: it is not in the fleet (any more); nothing is changed then.
    """
    worker = yield from get_worker(worker_id)
    hearing = hear(said, alive=url_of(worker_id))
    claimed: list[Claimed] = []
    if max_chunks and takes_what_comes(worker):
        outcomes, taken = yield from together(hearing, take_next(max_chunks))
        claimed = yield from start_all(taken, worker)
    else:
        outcomes = yield from hearing
        if max_chunks:
            with suppress(WorkerUnavailable):
                claimed = yield from claim(worker_id, max_chunks)
    worker = yield from get_worker(worker_id)
    return Exchanged(worker=worker, outcomes=outcomes, claimed=claimed)
