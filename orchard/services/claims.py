"""Claims: chunks go out to workers, each under a lease."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchard import keys
from orchard.domain import assignments, workers
from orchard.domain.chunks import CHUNK_MARK
from orchard.domain.orders import type_of_lane
from orchard.domain.workers import Worker
from orchard.services import lanes, outlooks
from orchard.services.limits import keeping
from orchard.services.lookups import get_worker
from orchard.services.starts import Claimed, How, Wanted, start_all
from orchard.services.takes import take_known
from statecore.store import ops
from statecore.store.steps import Steps

__all__ = ["MAX_BATCH", "Claimed", "claim", "take_next", "takes_what_comes"]

MAX_BATCH = 100
"""Most chunks that one call claims."""
PLAIN = ""
"""The lane of recordings that demand nothing."""
LOOKS = 3
"""So often a worker chooses anew when others were faster, before it takes what comes."""

_BESIDE = (ops.Companion(keys.job("")), ops.Companion(keys.chunks(""), is_field=True))
"""What a chunk's name stands for: its job, and its record."""

plain_times = outlooks.PlainTimes()
"""Whether there was nothing to choose when this process last looked."""


def claim(worker_id: str, max_chunks: int = 1) -> Steps[list[Claimed]]:
    """Give a worker up to ``max_chunks`` chunks under a lease; none when there is none for it.

    Raises:
        UnknownWorker: it is not in the fleet (any more).
        WorkerUnavailable: it is draining or paused.
    """
    worker = yield from get_worker(worker_id)
    workers.check_available(worker)
    count = min(max_chunks, MAX_BATCH)
    if lanes.needs_plain_alone(worker):
        return (yield from _give_plain(worker, count))
    served = yield from lanes.list_served(worker)
    room = yield from lanes.room_in(served)
    return (yield from _give_of(served, room, worker, count))


def takes_what_comes(worker: Worker) -> bool:
    """Whether a worker gets what is next in the one queue that it serves, without a choice."""
    is_available = not (worker.draining or worker.paused)
    return is_available and lanes.needs_plain_alone(worker) and plain_times.are_now()


def take_next(count: int, lane: str = PLAIN) -> Steps[list[Wanted]]:
    """Lease what has lost its own lease, then what is next in a queue; it is to be started."""
    places = keys.chunk_queue(lane), keys.chunk_leases(lane)
    lease_ms, count = keeping().chunk_lease_ms, min(count, MAX_BATCH)
    found = yield from take_known(*places, count, lease_ms, CHUNK_MARK, *_BESIDE)
    return [Wanted(one.member, How.TAKEN, lane, one.values) for one in found]


def _give_plain(worker: Worker, count: int) -> Steps[list[Claimed]]:
    give = _take if plain_times.are_now() else _choose
    return (yield from give(worker, count))


def _give_of(
    served: Sequence[str], room: Mapping[str, int], worker: Worker, count: int
) -> Steps[list[Claimed]]:
    """Give a worker what comes first in the lanes that it serves, as far as there is room.

    The plain lane is looked at in any case: there may be a straggler to copy.
    """
    left = dict(room)
    ready = yield from lanes.find_ready(served)
    claimed: list[Claimed] = []
    for lane in [*ready, *({PLAIN} & set(served) - set(ready))]:
        job_type = type_of_lane(lane)
        wanted = min(count - len(claimed), left.get(job_type, count))
        if wanted > 0:
            give = _take_from(lane, worker, wanted) if lane else _give_plain(worker, wanted)
            got = yield from give
            claimed += got
            left[job_type] = left.get(job_type, count) - len(got)
    return claimed


def _choose(worker: Worker, count: int) -> Steps[list[Claimed]]:
    """Give a worker what suits it (see :mod:`orchard.domain.assignments`)."""
    shortest_s = keeping().chunk_lease_ms / 1000
    for _ in range(LOOKS):
        sight = yield from outlooks.look(worker)
        plain_times.note(sight.outlook.is_plain)
        if sight.is_any_due:
            break
        chosen = assignments.choose(
            worker.worker_id, sight.outlook, shortest_s=shortest_s, count=count
        )
        if not chosen:
            return []
        if sight.outlook.is_plain and not chosen[0].is_duplicate:
            break
        wanted = [
            Wanted(one.name, How.COPIED if one.is_duplicate else How.CHOSEN) for one in chosen
        ]
        if claimed := (yield from start_all(wanted, worker)):
            return claimed
    return (yield from _take(worker, count))


def _take(worker: Worker, count: int) -> Steps[list[Claimed]]:
    """Give a worker what has lost its own, then what is next in the queue."""
    return _take_from(PLAIN, worker, count)


def _take_from(lane: str, worker: Worker, count: int) -> Steps[list[Claimed]]:
    taken = yield from take_next(count, lane)
    return (yield from start_all(taken, worker, lambda more: take_next(more, lane)))
