"""What the keys of the orchard must be like, and which of them list things."""

from __future__ import annotations

from orchard import keys
from orchard.domain.lifecycle import JobStatus
from orchard.services import lanes
from statecore.store.base import Store
from statecore.store.findings import Listing, Subject, rule

JOB, CHUNK, WORKER = "job", "chunk", "worker"
SCHEDULE = "schedule"
RECORDING, FOLDER = "recording", "folder"

RULES = (
    rule(keys.job, "string", "either", subject=JOB),
    rule(keys.chunks, "hash", subject=JOB),
    rule(keys.results, "hash", "either", subject=JOB),
    rule(keys.edits, "hash", "either", subject=JOB),
    rule(keys.worker, "string", "either", subject=WORKER),
    rule(keys.user_pref, "string", "for a while", most_ms=keys.USER_PREF_TTL_MS, parts=2),
    rule(keys.idempotency, "string", "for a while", most_ms=keys.IDEMPOTENCY_TTL_MS, parts=2),
    rule(keys.CHUNK_QUEUE, "sorted set", is_derived=True),
    rule(keys.CHUNK_LEASES, "sorted set", is_derived=True),
    rule(keys.chunk_queue, "sorted set", is_derived=True),
    rule(keys.chunk_leases, "sorted set", is_derived=True),
    rule(keys.LANES, "sorted set"),
    rule(keys.jobs_of, "sorted set", is_derived=True),
    rule(keys.audio_of, "sorted set", is_derived=True),
    rule(keys.STAGE_QUEUE, "sorted set", is_derived=True),
    rule(keys.STAGE_LEASES, "sorted set", is_derived=True),
    rule(keys.JOBS, "sorted set", is_derived=True),
    *(rule(keys.jobs_in(status), "sorted set", is_derived=True) for status in JobStatus),
    rule(keys.WORKERS, "sorted set", is_derived=True),
    rule(keys.BUSY_WORKERS, "sorted set", is_derived=True),
    rule(keys.schedule, "string", subject=SCHEDULE),
    rule(keys.SCHEDULES, "sorted set", is_derived=True),
    rule(keys.SAMPLES, "stream", "either"),
    rule(keys.DISPATCHERS, "sorted set"),
    rule(keys.PARTITIONS, "string", "for ever"),
    rule(keys.SEALING, "hash"),
    rule(keys.SCHEMA, "string", "for ever"),
    rule(keys.REPLICATED, "string", "for a while"),
    rule(keys.REAPER, "string", "for a while"),
    rule(keys.UPGRADE, "string", "for a while"),
    rule(keys.node_lease, "string", "for a while"),
    rule(keys.catalogue_follower, "string", "for a while"),
    rule(keys.webhook_sender, "string", "for a while"),
    rule(keys.node_lease, "string", "for a while"),
    rule(keys.DISPATCHERS, "sorted set"),
    rule(keys.EVENTS, "stream"),
)
"""Every key of ``orchard.keys``, the records first."""


def _job(name: str) -> Subject:
    return Subject(JOB, name)


def _chunk(name: str) -> Subject:
    return Subject(CHUNK, name)


def _worker(name: str) -> Subject:
    return Subject(WORKER, name)


def _schedule(name: str) -> Subject:
    return Subject(SCHEDULE, name)


def listings(store: Store) -> list[Listing]:
    """Collections of names: whatever they name must be there."""
    found = store.run(lanes.list_all())
    queues = [make(lane) for lane in found[1:] for make in (keys.chunk_queue, keys.chunk_leases)]
    return [*LISTINGS, *(Listing(key, "sorted set", _chunk) for key in queues)]


LISTINGS = (
    Listing(keys.CHUNK_QUEUE, "sorted set", _chunk),
    Listing(keys.CHUNK_LEASES, "sorted set", _chunk),
    Listing(keys.STAGE_QUEUE, "sorted set", _job),
    Listing(keys.STAGE_LEASES, "sorted set", _job),
    Listing(keys.JOBS, "sorted set", _job, keys.job),
    *(Listing(keys.jobs_in(status), "sorted set", _job, keys.job) for status in JobStatus),
    Listing(keys.WORKERS, "sorted set", _worker, keys.worker),
    Listing(keys.BUSY_WORKERS, "sorted set", _worker, keys.worker),
    Listing(keys.SCHEDULES, "sorted set", _schedule, keys.schedule),
)
"""Those that there always are."""
