"""Workers: their records, the lists they stand in, and what they are said to hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from orchard import codec, keys
from orchard.conf import get_conf
from orchard.domain import repairs
from orchard.domain.chunks import parse_chunk_id
from orchard.domain.errors import DamagedRecord
from orchard.domain.workers import Worker
from orchard.repository import Draft, chunk_cell, epoch_ms, find_chunk, worker_cell
from orchard.services.doctor.catalogue import WORKER
from orchard.services.doctor.judging import SLACK_MS, Fault
from orchard.services.doctor.symptoms import found
from orchard.services.limits import keeping
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.findings import Examiner, Finding, Subject
from statecore.store.steps import Seen
from statecore.store.walking import look_at


class WorkerSeen(NamedTuple):
    """A worker and all that is said of it."""

    url: str
    raw: bytes | None
    worker: Worker | None
    listed: float | None
    busy: float | None
    ttl_ms: int | None
    held: tuple[str, ...] = ()
    """Those of the chunks on its record that it really holds."""


class WorkerExaminer(Examiner):
    """Workers with their lists."""

    kind = WORKER

    def look(self, store: Store, names: Sequence[str]) -> list[Finding]:
        """What is wrong with these workers."""
        seen = [one for name in names for one in _read(store, name)]
        at = store.now()
        return [
            found(code, Subject(WORKER, one.url), what)
            for one in seen
            for code, what in judge(one, at)
        ]

    def mend(self, store: Store, name: str) -> list[Finding]:
        """Write the record, and where the worker stands, anew."""
        wrong = [each for each in self.look(store, [name]) if each.repair]
        for seen in _read(store, name) if wrong else ():
            draft = Draft(keeping(), store.now())
            if seen.worker is None:
                draft.drop_worker(name)
            else:
                draft.worker(repairs.hold_only(seen.worker, seen.held))
            reply = store.commit({worker_cell(name): seen.raw}, draft.writes())
            return wrong if isinstance(reply, ops.Committed) else []
        return []


def judge(seen: WorkerSeen, at: datetime) -> Iterator[Fault]:
    """All that is wrong with a worker."""
    if seen.raw is None:
        gone_ms = epoch_ms(at) - keeping().worker_ttl_ms + SLACK_MS
        if any(score is not None and score > gone_ms for score in (seen.listed, seen.busy)):
            yield "worker-gone", "There is no such worker."
        return
    if seen.worker is None:
        yield "worker-unreadable", "The record is no worker."
        return
    holds = bool(seen.worker.pending_chunks)
    if seen.listed is None:
        yield "worker-unlisted", "It is in no list of workers."
    elif seen.busy != (seen.listed if holds else None):
        yield "worker-misplaced", f"It {'holds' if holds else 'holds no'} chunks; lists disagree."
    if seen.ttl_ms is None:
        yield "worker-ttl", "Its record has no end."
    is_silent = (
        epoch_ms(at) - epoch_ms(seen.worker.last_updated) > get_conf().worker_online_s * 1000
    )
    over = [name for name in seen.worker.pending_chunks if name not in seen.held]
    if over and not is_silent:  # a silent one has not heard yet that its leases ran out
        yield "worker-overstated", f"It does not hold {', '.join(over[:3])}."


def _read(store: Store, url: str) -> list[WorkerSeen]:
    """The worker with what it holds, at one moment."""
    (raw,) = store.read(worker_cell(url))
    names = _pending(raw)
    cells = {name: chunk_cell(*place) for name in names if (place := parse_chunk_id(name))}
    scores = [ops.Score(keys.WORKERS, url), ops.Score(keys.BUSY_WORKERS, url)]
    raw, listed, busy, *chunks = store.read(worker_cell(url), *scores, *cells.values())
    (fact,) = look_at(store, [keys.worker(url)])
    worker = _worker(raw)
    seen: Seen = dict(zip(cells.values(), chunks, strict=True))
    held = tuple(name for name in cells if worker and _holds(seen, name, worker.worker_id))
    return [WorkerSeen(url, raw, worker, listed, busy, fact.ttl_ms, held)]


def _holds(seen: Seen, name: str, worker_id: str) -> bool:
    place = parse_chunk_id(name)
    try:
        chunk = find_chunk(seen, *place) if place else None
    except DamagedRecord:
        return True
    return chunk is not None and chunk.token_of(worker_id) is not None


def _pending(raw: bytes | None) -> tuple[str, ...]:
    worker = _worker(raw)
    return worker.pending_chunks if worker else ()


def _worker(raw: bytes | None) -> Worker | None:
    try:
        return None if raw is None else codec.decode_worker(raw)
    except DamagedRecord:
        return None
