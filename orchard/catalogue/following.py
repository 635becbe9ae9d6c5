"""Filling the catalogue: read all jobs once, then follow the events.

How far it has come is changed in the transaction that changes the rows. So a process may die
anywhere, and another may begin before the first has noticed: what was read and not kept is
read again, and reading again changes nothing. Rows are made of the engine's records as they
are now; events only say which of them to look at.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

import msgspec
from django.db import transaction

from orchard import readings
from orchard.catalogue import rows
from orchard.catalogue.models import CataloguedJob, Reading
from orchard.codec import UNREADABLE
from orchard.domain.jobs import Job
from orchard.readings import Overtaken
from orchard.services import queries, records, run

PAGE = 200
"""Jobs that are read, and rows that are written, in one step."""
EVENTS = 5_000
"""Events that are read in one step."""
UNKEPT_MAX = 2_000
"""So many events that tell nothing may have to be read again; far fewer than are kept."""

# How the events begin that change what a job is found or sorted by. The others, progress and
# the beginnings of chunks, are most of the traffic, and are not even decoded.
_TELLING = tuple(
    f'{{"name":"{name}",'.encode()
    for name in ("job.created", "job.advanced", "job.pinned", "job.removed",
                 "chunk.completed", "chunk.failed")
)  # fmt: skip


class _About(msgspec.Struct):
    """What is read of an event."""

    job_id: str


_decoder = msgspec.json.Decoder(_About)


class Follower(readings.Follower[Reading]):
    """One process's way through the engine: each step is one transaction, or none."""

    model = Reading

    def _step(self, reading: Reading) -> bool:
        if not reading.is_begun:
            return _begin(reading)
        tailed = run(queries.events_after(reading.cursor, limit=EVENTS))
        if tailed.reset:
            return _begin(reading)
        told = _jobs_of([raw for _, raw in tailed.entries])
        reading.cursor, is_following = tailed.cursor, reading.phase == Reading.EVENTS
        self._unkept += len(tailed.entries)
        if told or not is_following or self._unkept > UNKEPT_MAX:
            found = _read(told)
            page, gone = _go_on(reading)
            _keep(reading, [*found.values(), *page], [*_missing(told, found), *gone])
            self._unkept = 0
        return len(tailed.entries) == EVENTS or reading.phase != Reading.EVENTS


def _begin(reading: Reading) -> bool:
    """Read all jobs from the first on, and the events from now on."""
    reading.cursor, reading.is_begun = run(queries.events_end()), True
    reading.phase, reading.place = Reading.JOBS, ""
    _keep(reading, [], [])
    return True


def _go_on(reading: Reading) -> tuple[list[Job], list[str]]:
    """The next page of the phase: jobs to put, and ids to drop; moves the reading on."""
    if reading.phase == Reading.JOBS:
        page = run(records.page_jobs(reading.place, PAGE))
        reading.place = page.next
        if not page.next:
            reading.phase = Reading.ROWS
        return page.jobs, []
    if reading.phase == Reading.ROWS:
        return [], _sweep(reading)
    return [], []


def _sweep(reading: Reading) -> list[str]:
    """Of the next rows, those of no job."""
    after = int(reading.place or 0)
    kept = CataloguedJob.objects.filter(pk__gt=after).order_by("pk").values_list("pk", "job_id")
    page = list(kept[:PAGE])
    ids = [job_id for _, job_id in page]
    if len(page) == PAGE:
        reading.place = str(page[-1][0])
    else:
        reading.phase, reading.place, reading.is_complete = Reading.EVENTS, "", True
    return _missing(ids, run(records.known_jobs(ids)))


def _keep(reading: Reading, jobs: Sequence[Job], gone: Sequence[str]) -> None:
    """Change the rows, and keep how far it has come, unless somebody else has come further."""
    seen, reading.version = reading.version, reading.version + 1
    told = ("version", "cursor", "phase", "place", "is_begun", "is_complete")
    values = {name: getattr(reading, name) for name in told}
    with transaction.atomic():
        if not Reading.objects.filter(pk=reading.pk, version=seen).update(**values):
            raise Overtaken
        rows.put({job.job_id: job for job in jobs}.values())
        for start in range(0, len(gone), PAGE):
            rows.drop(gone[start : start + PAGE])


def _jobs_of(events: Sequence[bytes]) -> list[str]:
    """The jobs that events tell of, each once however many of its chunks were done."""
    telling = (_job_of(raw) for raw in events if raw.startswith(_TELLING))
    return list(dict.fromkeys(job_id for job_id in telling if job_id))


def _job_of(event: bytes) -> str:
    """The job of an event; nothing for one that somebody put there by hand."""
    try:
        return _decoder.decode(event).job_id
    except UNREADABLE:
        return ""


def _read(job_ids: Sequence[str]) -> dict[str, Job]:
    found: dict[str, Job] = {}
    for start in range(0, len(job_ids), PAGE):
        found |= run(records.read_jobs(job_ids[start : start + PAGE]))
    return found


def _missing(job_ids: Sequence[str], found: Container[str]) -> list[str]:
    return [job_id for job_id in job_ids if job_id not in found]
