"""Lanes: a queue, with its leases, for each type of jobs and set of labels that they demand.

The plain lane (recordings that demand nothing) is always there, under the names that the
queue had when it was the only one. A worker that does recordings alone and has no labels
looks at nothing else, so its claims cost what they did.
"""

from __future__ import annotations

from collections.abc import Iterable

from orchard import codec, keys
from orchard.conf import get_conf
from orchard.conf_jobs import type_limits
from orchard.domain.orders import AUDIO, can_serve, type_of_lane
from orchard.domain.workers import Worker
from orchard.repository import epoch_ms
from statecore.store import ops
from statecore.store.steps import Steps, commit, now, read, scan_index

MOST = 500
"""Most lanes that are looked at."""
IDLE_MS = 86_400_000
"""A lane that is empty, and was not used for so long, is forgotten."""


def note(lane: str) -> Steps[None]:
    """Let everybody know of a lane, before chunks are put into it."""
    at_ms = epoch_ms((yield from now()))
    yield from commit({}, ops.SortedAdd(keys.LANES, {lane: at_ms}))


def list_all() -> Steps[list[str]]:
    """All lanes, the plain one first."""
    known = yield from scan_index(keys.LANES, MOST, newest_first=True)
    return ["", *(lane for lane, _ in known)]


def needs_plain_alone(worker: Worker) -> bool:
    """Whether nothing but the plain lane is for a worker, and there is no limit on it."""
    is_limited = AUDIO in type_limits(get_conf().job_type_limits)
    return worker.types == (AUDIO,) and not worker.labels and not is_limited


def list_served(worker: Worker) -> Steps[list[str]]:
    """The lanes that a worker can do the work of."""
    if worker.types == (AUDIO,) and not worker.labels:
        return [""]
    found = yield from list_all()
    return [lane for lane in found if is_served_by(lane, worker)]


def is_served_by(lane: str, worker: Worker) -> bool:
    """Whether a worker can do the work of a lane."""
    return can_serve(lane, worker.types, worker.labels)


def find_ready(lanes: Iterable[str]) -> Steps[list[str]]:
    """Those in which something is to be had: with expired leases first, then by their turns."""
    at_ms = epoch_ms((yield from now()))
    fronts: list[tuple[float, str]] = []
    for lane in lanes:
        due = yield from scan_index(keys.chunk_leases(lane), 1, high=at_ms)
        first = [] if due else (yield from scan_index(keys.chunk_queue(lane), 1))
        fronts += [(0.0 if due else score, lane) for _, score in due or first]
    return [lane for _, lane in sorted(fronts)]


def room_in(lanes: Iterable[str]) -> Steps[dict[str, int]]:
    """How many more chunks of each limited type may be with workers, of the types of lanes.

    It is looked up, and not held: claims of one moment may exceed a limit together.
    """
    limits = type_limits(get_conf().job_type_limits)
    types = {type_of_lane(lane) for lane in lanes} & limits.keys()
    if not types:
        return {}
    mine = [lane for lane in (yield from list_all()) if type_of_lane(lane) in types]
    at_work = yield from read(*(ops.Count(keys.chunk_leases(lane)) for lane in mine))
    room = {name: limits[name] for name in types}
    for lane, count in zip(mine, at_work, strict=True):
        room[type_of_lane(lane)] -= count
    return room


def heal(records: Iterable[bytes | None]) -> Steps[None]:
    """Let everybody know of the lanes of these jobs, should somebody have lost the list."""
    marked = [raw for raw in records if raw and (b'"job_type"' in raw or b'"requires"' in raw)]
    jobs = codec.readable(codec.decode_job, marked)
    lanes = {job.lane for job in jobs if not job.has_ended} - {""}
    if lanes:
        known = yield from list_all()
        for lane in sorted(lanes.difference(known)):
            yield from note(lane)


def forget_idle() -> Steps[None]:
    """Forget lanes in which nothing was put for long, and nothing is."""
    at_ms = epoch_ms((yield from now()))
    for lane, _ in (yield from scan_index(keys.LANES, MOST, high=at_ms - IDLE_MS)):
        queues = (keys.chunk_queue(lane), keys.chunk_leases(lane))
        if not any((yield from read(*map(ops.Count, queues)))):
            yield from commit({}, ops.SortedRemove(keys.LANES, (lane,)))
