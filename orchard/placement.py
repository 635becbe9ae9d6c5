"""Placement: which entity a key of the orchard belongs to, where the engine has partitions.

A job and all its chunks are one entity, and so is a worker: what changes in
one step never spans two of them. Issues, processes, locks, label requests and
namespaced state change together in one step, so they stay together at home.
"""

from __future__ import annotations

from collections.abc import Callable

from orchard import keys
from orchard.domain.chunks import parse_chunk_id
from orchard.domain.lifecycle import JobStatus
from statecore.store.layouts import Layout

_OF_JOBS = frozenset({"job", "chunks", "results", "edits"})
_LANES = (keys.chunk_queue("\0")[:-1], keys.chunk_leases("\0")[:-1])
_QUOTAS = (keys.jobs_of(""), keys.audio_of(""))
_OF_THEMSELVES = frozenset({"worker", "idempotency", "user_pref"})


def entity_of(key: str) -> str:
    """The entity that a key belongs to, by the name of its record; ``""`` for none."""
    kind, _, name = key.partition(":")
    if kind in _OF_JOBS:
        return keys.job(name)
    return key if kind in _OF_THEMSELVES else ""


def _entity_of_chunk(name: str) -> str | None:
    place = parse_chunk_id(name)
    return keys.job(place[0]) if place else None


def _entity_of_counted(member: str) -> str:
    return keys.job(member.partition("@")[0])


class _Indexes(dict[str, Callable[[str], str | None]]):
    """The indexes by name, and those of every lane and every owner."""

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or str(key).startswith((*_LANES, *_QUOTAS))

    def __missing__(self, key: str) -> Callable[[str], str | None]:
        return _entity_of_counted if key.startswith(_QUOTAS) else _entity_of_chunk


LAYOUT = Layout(
    entity_of=entity_of,
    indexes=_Indexes(
        {
            keys.CHUNK_QUEUE: _entity_of_chunk,
            keys.CHUNK_LEASES: _entity_of_chunk,
            keys.WORKERS: keys.worker,
            keys.BUSY_WORKERS: keys.worker,
        }
        | dict.fromkeys(
            (keys.JOBS, keys.STAGE_QUEUE, keys.STAGE_LEASES, *map(keys.jobs_in, JobStatus)),
            keys.job,
        )
    ),
    streams=frozenset({keys.EVENTS}),
)
"""Where everything lives in an engine of many partitions."""
