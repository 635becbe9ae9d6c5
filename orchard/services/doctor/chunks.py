"""Names of chunks in the queue and the leases: each must stand for a chunk that is to be done."""

from __future__ import annotations

from collections.abc import Sequence

from orchard import keys
from orchard.domain.chunks import parse_chunk_id
from orchard.domain.errors import DamagedRecord
from orchard.repository import Draft, chunk_cell, find_chunk, find_job, job_cell
from orchard.services import lanes
from orchard.services.doctor.catalogue import CHUNK
from orchard.services.doctor.symptoms import found
from orchard.services.limits import keeping
from orchard.services.lookups import is_open
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.findings import Examiner, Finding, Subject
from statecore.store.steps import Seen


class ChunkExaminer(Examiner):
    """What queue and leases name; chunks that they should name are looked at with their jobs."""

    kind = CHUNK

    def look(self, store: Store, names: Sequence[str]) -> list[Finding]:
        """Names that stand for nothing."""
        seen = _read(store, names)
        return [
            found("chunk-stale", Subject(CHUNK, name), "Nobody has to do it.")
            for name in names
            if name in seen and not _is_to_do(seen[name], name)
        ]

    def mend(self, store: Store, name: str) -> list[Finding]:
        """Take such a name out of queue and leases."""
        wrong = self.look(store, [name])
        if wrong:
            draft = Draft(keeping(), store.now())
            for lane in store.run(lanes.list_all()):
                draft.drop_chunk_name(name, lane)
            cells: dict[ops.Cell, bytes | None] = {
                cell: value
                for cell, value in _read(store, [name])[name].items()
                if isinstance(cell, ops.Key | ops.Field)
            }
            if isinstance(store.commit(cells, draft.writes()), ops.Committed):
                return wrong
        return []


def _read(store: Store, names: Sequence[str]) -> dict[str, Seen]:
    """Job and chunk behind each name that is queued or leased."""
    cells = {name: _cells(name) for name in names}
    known = store.run(lanes.list_all())
    queues = [*map(keys.chunk_queue, known), *map(keys.chunk_leases, known)]
    scores = [ops.Score(key, name) for name in names for key in queues]
    flat = list(dict.fromkeys(cell for each in cells.values() for cell in each))
    values = store.read(*flat, *scores)
    seen = dict(zip(flat, values, strict=False))
    places = values[len(flat) :]
    return {
        name: {cell: seen[cell] for cell in cells[name]}
        for at, name in enumerate(names)
        if any(one is not None for one in places[len(queues) * at : len(queues) * (at + 1)])
    }


def _cells(name: str) -> tuple[ops.Cell, ...]:
    place = parse_chunk_id(name)
    return (job_cell(place[0]), chunk_cell(*place)) if place else ()


def _is_to_do(seen: Seen, name: str) -> bool:
    place = parse_chunk_id(name)
    if place is None:
        return False
    try:
        job, chunk = find_job(seen, place[0]), find_chunk(seen, *place)
    except DamagedRecord:
        return True  # a record that cannot be read is a finding of the job's
    return job is not None and chunk is not None and is_open(job, chunk)
