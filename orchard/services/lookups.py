"""What several services read, require and write in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from orchard import codec
from orchard.domain import workers
from orchard.domain.chunks import Chunk, ChunkChange, parse_chunk_id
from orchard.domain.errors import StaleToken, UnknownChunk, UnknownJob, UnknownWorker
from orchard.domain.jobs import Job
from orchard.domain.lifecycle import ChunkStatus, JobStatus
from orchard.domain.workers import Speed, Worker, WorkerChange
from orchard.repository import Draft, find_chunk, find_job, find_worker, worker_cell
from orchard.services.limits import keeping
from statecore.store import ops
from statecore.store.steps import Decision, Seen, Steps, now, read, transact


def get_worker(worker_id: str) -> Steps[Worker]:
    """A worker, as this process last saw it, or as it is.

    Raises:
        UnknownWorker: it is not in the fleet.
    """
    url = url_of(worker_id)
    recalled: Seen = yield ops.Recall((worker_cell(url),))
    if (worker := find_worker(recalled, url)) and not (worker.draining or worker.paused):
        at = yield from now()
        if (at - worker.last_updated) < timedelta(milliseconds=keeping().worker_ttl_ms / 10):
            return worker
    (raw,) = yield from read(worker_cell(url))
    if raw is None:
        raise UnknownWorker
    return codec.decode_worker(raw)


def touch(
    url: str, *, gained: Sequence[str] = (), lost: Sequence[str] = (),
    speeds: Sequence[Speed] = (),
) -> Steps[None]:  # fmt: skip
    """Note a sign of life in a worker's record, if it still has one."""

    def decide(seen: Seen, at: datetime) -> Decision[None]:
        worker = find_worker(seen, url)
        if worker is None:
            return Decision(None)
        change = workers.hear_from(worker, at=at, gained=gained, lost=lost, speeds=speeds)
        draft = Draft(keeping(), at)
        draft_worker(draft, change)
        return Decision(None, draft.writes())

    yield from transact([worker_cell(url)], decide, hot=[url])


def draft_worker(draft: Draft, change: WorkerChange) -> None:
    draft.worker(change.worker)
    draft.events(change.events)


def draft_chunk(draft: Draft, job_id: str, before: Chunk, change: ChunkChange) -> None:
    draft.chunk(job_id, before, change.chunk)
    draft.events(change.events)


def url_of(worker_id: str) -> str:
    url = workers.worker_url(worker_id)
    if url is None:
        raise UnknownWorker
    return url


def require_worker(seen: Seen, url: str) -> Worker:
    worker = find_worker(seen, url)
    if worker is None:
        raise UnknownWorker
    return worker


def place_of(chunk_name: str) -> tuple[str, int]:
    place = parse_chunk_id(chunk_name)
    if place is None:
        raise UnknownChunk
    return place


def require_chunk(seen: Seen, job_id: str, index: int) -> Chunk:
    chunk = find_chunk(seen, job_id, index)
    if chunk is None:
        raise UnknownChunk
    return chunk


def chunk_of(seen: Seen, job: Job, index: int) -> Chunk:
    """The chunk of a running job, or of one that has ended and keeps its own list."""
    if chunk := find_chunk(seen, job.job_id, index):
        return chunk
    kept = [chunk for chunk in job.chunks or () if chunk.index == index]
    if not kept:
        raise UnknownChunk
    if kept[0].status is not ChunkStatus.COMPLETED:
        raise StaleToken(f"the job is {job.status}", holder="", status=str(job.status))
    return kept[0]


def require_open(seen: Seen, job_id: str, index: int) -> tuple[Job, Chunk]:
    job = find_job(seen, job_id)
    if job is None:
        raise UnknownJob
    return job, chunk_of(seen, job, index)


def is_open(job: Job, chunk: Chunk) -> bool:
    unsettled = chunk.status in (ChunkStatus.WAITING, ChunkStatus.RUNNING)
    return job.status is JobStatus.PROCESSING and unsettled
