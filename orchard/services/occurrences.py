"""Occurrences: what is due of the schedules is handed in, each time once, whoever does it."""

from __future__ import annotations

import logging
import secrets
from datetime import datetime

from orchard import keys
from orchard.domain import schedules
from orchard.domain.errors import DamagedRecord, OrchardError
from orchard.domain.jobs import Job
from orchard.domain.schedules import Schedule, UnknownSchedule
from orchard.ports import schedule_files
from orchard.services import uploads
from orchard.services.engine import EngineAway, run
from orchard.services.schedules import cell_of, dropping, get, rewrite
from statecore.sealing.faults import SealFault
from statecore.store import ops
from statecore.store.drafts import epoch_ms
from statecore.store.steps import Decision, Seen, Steps, now, scan_index, transact

log = logging.getLogger("orchard.schedules")

BATCH = 20
"""Most that one round hands in; the next round goes on."""
CAME_BY = "schedule"


def hand_in_due() -> int:
    """Hand in what is due; how much that was.

    Raises:
        EngineAway: the engine cannot be reached; what is due stays so.
    """
    due = run(_find_due())
    for schedule_id in due:
        try:
            _hand_in_next(schedule_id)
        except (UnknownSchedule, DamagedRecord) as fault:
            log.warning("schedule %s is left out: %s", schedule_id, fault)
            run(_leave_out(schedule_id))
    return len(due)


def run_now(schedule_id: str, idempotency_key: str = "") -> Job:
    """Hand the file of a schedule in at once, beside its times.

    Raises:
        UnknownSchedule: there is none of this id.
        QuotaExceeded, StorageAway: it cannot be handed in now.
    """
    schedule = run(get(schedule_id))
    key = idempotency_key or secrets.token_hex(8)
    job = _hand_in(schedule, f"schedule:{schedule_id}:now:{key}")
    _settle(schedule_id, run(now()), job_id=job.job_id)
    return job


def _find_due() -> Steps[list[str]]:
    at_ms = epoch_ms((yield from now()))
    return [name for name, _ in (yield from scan_index(keys.SCHEDULES, BATCH, high=at_ms))]


def _hand_in_next(schedule_id: str) -> None:
    """Hand in one that is due, unless somebody else has done so meanwhile.

    The key makes one job of it, and the record goes on from this time only: so a second
    process, or one that was killed in between, changes nothing.
    """
    schedule = run(get(schedule_id))
    due = schedule.next_at
    if due is None or due > run(now()):
        return
    job_id, error = "", ""
    try:
        job_id = _hand_in(schedule, schedules.key_of(schedule_id, due)).job_id
    except EngineAway:
        raise
    except (OrchardError, SealFault, OSError) as fault:
        error = _reason(fault)
        log.warning("schedule %s: nothing was handed in: %s", schedule_id, error)
    _settle(schedule_id, due, job_id, error)


def _settle(schedule_id: str, due: datetime, job_id: str, error: str = "") -> None:
    """Note what came of a time, and tell it."""

    def decide(one: Schedule, at: datetime) -> Schedule:
        return schedules.settle(one, due, at, job_id=job_id, error=error)

    run(rewrite(schedule_id, decide, schedules.tell_settled(due, job_id, error)))


def _hand_in(schedule: Schedule, key: str) -> Job:
    with schedule_files.copied(schedule.source, schedule.filename) as upload:
        job, _ = uploads.submit(
            upload, owner=schedule.owner, use_purifier=schedule.use_purifier,
            language=schedule.language, idempotency_key=key, came_by=CAME_BY,
            wishes=schedule.wishes, order=schedule.order,
        )  # fmt: skip
    return job


def _reason(fault: Exception) -> str:
    if isinstance(fault, FileNotFoundError):
        return "its file is not in storage any more"
    return str(fault) or type(fault).__name__


def _leave_out(schedule_id: str) -> Steps[None]:
    """Take what stands for nothing out of the index; a damaged record stays, to be looked at."""
    cell = cell_of(schedule_id)

    def decide(seen: Seen, at: datetime) -> Decision[None]:
        write = ops.SortedRemove(keys.SCHEDULES, (schedule_id,))
        return Decision(None, dropping(schedule_id) if seen[cell] is None else (write,))

    yield from transact([cell], decide)
