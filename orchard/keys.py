"""Names of everything the orchard keeps in the state engine.

``job:<id>``, ``worker:<url>`` and ``user_pref:<user>:<key>`` are contracts
(CONTRACTS section 1); nothing else may match ``job:*`` or ``worker:*``.
"""

from __future__ import annotations

from orchard.domain.lifecycle import JobStatus
from statecore.versions import KEY

EVENTS = "events"
"""Stream: every change of the orchard, oldest first."""
CHUNK_QUEUE = "queue:chunks"
"""Sorted set: names of waiting chunks, by their jobs' turns, the longest of a job first."""
CHUNK_LEASES = "leases:chunks"
"""Sorted set: names of running or resting chunks, by the end of their lease (epoch ms)."""
STAGE_QUEUE = "queue:stages"
"""Sorted set: jobs whose next step is a pipeline's, the oldest first (epoch ms)."""
STAGE_LEASES = "leases:stages"
"""Sorted set: jobs a pipeline process works on, by the end of its lease (epoch ms)."""
JOBS = "index:jobs"
"""Sorted set: all jobs, by creation (epoch ms)."""
WORKERS = "index:workers"
"""Sorted set: URLs of all workers, by the last sign of life (epoch ms)."""
LANES = "index:lanes"
"""Sorted set: lanes besides the plain one, by when chunks were last put into them (epoch ms)."""
BUSY_WORKERS = "index:workers:busy"
"""Sorted set: URLs of the workers that hold chunks, by the last sign of life (epoch ms)."""
SCHEDULES = "index:schedules"
"""Sorted set: schedules, by their next time (epoch ms); those that are disabled behind all."""
SAMPLES = "samples"
"""Stream: how much was waiting and done, every ten seconds, of the last day."""
PARTITIONS = "partitions"
"""String: into how many partitions the engine is divided; never in a partition itself."""
SEALING = "sealing"
"""Hash: id of a key that values are sealed with -> a word sealed with it; never in a partition."""
SCHEMA = KEY
"""String: of which version the state is, and how far an upgrade is; never in a partition."""
REPLICATED = "replicated"
"""String with TTL: nothing; what was read before it is at a replica when it is."""
REAPER = "lease:reaper"
"""String with TTL: the process that clears up right now."""
UPGRADE = "lease:upgrade"
"""String with TTL: the process that upgrades the state right now."""
DISPATCHERS = "index:dispatchers"
"""Sorted set: dispatchers that are at work, by when they count as dead (epoch ms)."""

USER_PREF_TTL_MS = 86_400_000
IDEMPOTENCY_TTL_MS = 86_400_000

PINNED_SCORE = 9e15
"""Where a pinned job stands in the index of its status: beyond any expiry (epoch ms)."""


def job(job_id: str) -> str:
    """String: a job, as the contract's JSON."""
    return f"job:{job_id}"


def chunk_queue(lane: str) -> str:
    """Sorted set: as ``queue:chunks``, of other types of jobs, and of those that demand labels."""
    return f"{CHUNK_QUEUE}:{lane}" if lane else CHUNK_QUEUE


def chunk_leases(lane: str) -> str:
    """Sorted set: as ``leases:chunks``, of the same lanes."""
    return f"{CHUNK_LEASES}:{lane}" if lane else CHUNK_LEASES


def jobs_of(owner: str) -> str:
    """Sorted set: jobs of an owner that have not ended, by creation; if there is a quota."""
    return f"quota:jobs:{owner}"


def audio_of(owner: str) -> str:
    """Sorted set: ``<job>@<day>`` of an owner, by length (ms); if there is a quota."""
    return f"quota:audio:{owner}"


def chunks(job_id: str) -> str:
    """Hash: index -> chunk, while the job is not over."""
    return f"chunks:{job_id}"


def results(job_id: str) -> str:
    """Hash: index -> accepted result of a chunk, until the transcript is joined."""
    return f"results:{job_id}"


def edits(job_id: str) -> str:
    """Hash: where a line begins (ms) -> its text as somebody edited it."""
    return f"edits:{job_id}"


def jobs_in(status: JobStatus) -> str:
    """Sorted set: jobs in a state; by creation while active, by expiry once ended (epoch ms)."""
    return f"{JOBS}:{status}"


def worker(url: str) -> str:
    """String with TTL: a worker, as the contract's JSON."""
    return f"worker:{url}"


def schedule(schedule_id: str) -> str:
    """String: a file that is handed in again and again, and when, as JSON."""
    return f"schedule:{schedule_id}"


def catalogue_follower(database: str) -> str:
    """String with TTL: the process that fills the catalogue of a database right now."""
    return f"lease:catalogue:{database}"


def webhook_sender(database: str) -> str:
    """String with TTL: the process that sends the webhooks of a database right now."""
    return f"lease:webhooks:{database}"


def user_pref(user: str, name: str) -> str:
    """String with TTL: one preference of one user, as JSON."""
    return f"user_pref:{user}:{name}"


def idempotency(owner: str, key: str) -> str:
    """String with TTL: the job that a creation with this key has led to."""
    return f"idempotency:{owner}:{key}"


def node_lease(url: str) -> str:
    """String with TTL: the dispatcher that drives a push node right now."""
    return f"lease:node:{url}"
