"""Which records a decision reads and writes, and where a record stands in queues and indexes.

The domain says what a record becomes; a :class:`Draft` turns *before* and
*after* into writes. Where a job or chunk stands (queue, lease, index, expiry)
is a function of its record, so that the two cannot disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from orchard import codec, keys
from orchard.domain.chunks import Chunk, chunk_id
from orchard.domain.errors import DamagedRecord
from orchard.domain.events import Event
from orchard.domain.jobs import Job
from orchard.domain.lifecycle import ACTIVE, ChunkStatus, JobStatus
from orchard.domain.queueing import queue_place, sooner
from orchard.domain.timeline import ChunkResult
from orchard.domain.workers import Worker
from statecore.store import ops
from statecore.store.drafts import Later, Place, WriteDraft
from statecore.store.drafts import epoch_ms as epoch_ms
from statecore.store.steps import Seen


class Keeping(NamedTuple):
    """How long things are kept and held; from the settings."""

    job_ttl_ms: int = 3_600_000
    worker_ttl_ms: int = 300_000
    chunk_lease_ms: int = 30_000
    stage_lease_ms: int = 30_000
    events_max: int = 20_000
    counts_jobs: bool = False
    """Whether there is a quota of jobs, so that they are counted by owner."""
    counts_audio: bool = False


def job_cell(job_id: str) -> ops.Key:
    """Where a job's record is."""
    return ops.Key(keys.job(job_id))


def chunk_cell(job_id: str, index: int) -> ops.Field:
    """Where a chunk's record is."""
    return ops.Field(keys.chunks(job_id), str(index))


def result_cell(job_id: str, index: int) -> ops.Field:
    """Where a chunk's result is: the accepted one, or the first while that is doubted."""
    return ops.Field(keys.results(job_id), str(index))


def worker_cell(url: str) -> ops.Key:
    """Where a worker's record is."""
    return ops.Key(keys.worker(url))


def find_job(seen: Seen, job_id: str) -> Job | None:
    """The job among the values read, or ``None``."""
    raw = seen.get(job_cell(job_id))
    return None if raw is None else codec.decode_job(raw)


def find_chunk(seen: Seen, job_id: str, index: int) -> Chunk | None:
    """The chunk among the values read, or ``None``."""
    raw = seen.get(chunk_cell(job_id, index))
    return None if raw is None else codec.decode_chunk(raw)


def find_result(seen: Seen, job_id: str, index: int) -> ChunkResult | None:
    """The result of a chunk among the values read; ``None`` when it is not there, or damaged."""
    raw = seen.get(result_cell(job_id, index))
    return next(iter(codec.readable(codec.decode_result, [raw])), None)


def find_worker(seen: Seen, url: str) -> Worker | None:
    """The worker among the values read, or ``None``."""
    raw = seen.get(worker_cell(url))
    return None if raw is None else codec.decode_worker(raw)


def decode_chunks(fields: dict[str, bytes]) -> tuple[Chunk, ...]:
    """The chunks of a whole hash, in order.

    Raises:
        DamagedRecord: one of them is none.
    """
    if not all(name.isdecimal() for name in fields):
        raise DamagedRecord("The chunks of a job are damaged: one has no number")
    return tuple(codec.decode_chunk(fields[name]) for name in sorted(fields, key=int))


class Draft(WriteDraft):
    """Writes in the making, gathered so that each key is written once."""

    def __init__(self, keeping: Keeping, at: datetime) -> None:
        super().__init__()
        self._keeping = keeping
        self._at = at

    def job(self, before: Job | None, after: Job) -> None:
        """Write a job's record, and move it to where the record belongs."""
        kept = self._keeping.job_ttl_ms if after.has_ended and not after.pinned else None
        self.put(keys.job(after.job_id), codec.encode_job(after), kept)
        if before is None:
            self.place(keys.JOBS, after.job_id, epoch_ms(after.created_at))
        elif before.status is not after.status:
            self.place(keys.jobs_in(before.status), after.job_id, None)
        if before is None or after.has_ended or before.status is not after.status:
            self.place(keys.jobs_in(after.status), after.job_id, self._index_place(after))
        if after.owner:
            self._count_for_owner(before, after)
        if after.needs_pipeline or (before and before.needs_pipeline):
            self.place(keys.STAGE_QUEUE, after.job_id, _stage_queue_place(after))
            self.place(keys.STAGE_LEASES, after.job_id, self._stage_lease_place(after))
        if after.has_ended and before and not before.has_ended:
            self._clear_up(before, after)
        if after.has_ended and after.status is not JobStatus.COMPLETED:
            # A retry goes on with the results, so they live as long as the record.
            self.expire(keys.results(after.job_id), kept)
        if after.has_ended:
            self.expire(keys.edits(after.job_id), kept)

    def chunk(self, job_id: str, before: Chunk | None, after: Chunk) -> None:
        """Write a chunk's record, and move it to where the record belongs."""
        name = chunk_id(job_id, after.index)
        self.keep_chunk(job_id, after)
        queued = after.status is ChunkStatus.WAITING and not after.not_before
        place = queue_place(after.turn, after.duration_ms)
        self.place(keys.chunk_queue(after.lane), name, place if queued else None)
        self.place(keys.chunk_leases(after.lane), name, self._chunk_lease_place(after))

    def keep_chunk(self, job_id: str, chunk: Chunk) -> None:
        """Write a chunk's record, and nothing else."""
        self.fields(keys.chunks(job_id), {str(chunk.index): codec.encode_chunk(chunk)})

    def extend(self, job_id: str, chunk: Chunk) -> None:
        """Give the holder of a chunk a new lease from now."""
        later = Later(self._keeping.chunk_lease_ms)
        self.place(keys.chunk_leases(chunk.lane), chunk_id(job_id, chunk.index), later)

    def drop_chunk_name(self, name: str, lane: str = "") -> None:
        """Take a name out of queue and leases of its lane, because it stands for nothing."""
        self.place(keys.chunk_queue(lane), name, None)
        self.place(keys.chunk_leases(lane), name, None)

    def drop_stage(self, job_id: str) -> None:
        """Take a job out of the pipeline's queue and leases, because there is no stage to do."""
        self.place(keys.STAGE_QUEUE, job_id, None)
        self.place(keys.STAGE_LEASES, job_id, None)

    def result(self, job_id: str, index: int, result: ChunkResult) -> None:
        """Keep the result of a chunk until the transcript is joined."""
        self.fields(keys.results(job_id), {str(index): codec.encode_result(result)})

    def keep_results(self, job_id: str) -> None:
        """Let the results of a job that starts again live on."""
        self.expire(keys.results(job_id), None)

    def worker(self, after: Worker) -> None:
        """Write a worker's record; it expires unless the worker is heard of again."""
        kept_ms = epoch_ms(after.kept_from)
        ttl_ms = max(1, self._keeping.worker_ttl_ms - (epoch_ms(self._at) - kept_ms))
        self.put(keys.worker(after.url), codec.encode_worker(after), ttl_ms)
        # A push node that is away counts as silent; while it is looked for, it is not forgotten.
        silent_ms = kept_ms - self._keeping.worker_ttl_ms // 2
        heard = silent_ms if after.is_away else epoch_ms(after.last_updated)
        self.place(keys.WORKERS, after.url, heard)
        self.place(keys.BUSY_WORKERS, after.url, heard if after.pending_chunks else None)

    def drop_worker(self, url: str) -> None:
        """Forget a worker."""
        self.delete(keys.worker(url))
        self.place(keys.WORKERS, url, None)
        self.place(keys.BUSY_WORKERS, url, None)

    def drop_job(self, job_id: str, total_chunks: int = 0, lane: str = "") -> None:
        """Forget a job and all that belongs to it in the engine."""
        beside = (keys.chunks(job_id), keys.results(job_id), keys.edits(job_id))
        self.delete(keys.job(job_id), *beside)
        indexes = [
            keys.JOBS,
            keys.STAGE_QUEUE,
            keys.STAGE_LEASES,
            *map(keys.jobs_in, JobStatus),
        ]
        for index in indexes:
            self.place(index, job_id, None)
        for i in range(total_chunks):
            self.drop_chunk_name(chunk_id(job_id, i), lane)

    def events(self, events: Sequence[Event]) -> None:
        """Append what has happened."""
        entries = [codec.encode_event(event) for event in events]
        self.append(keys.EVENTS, entries, self._keeping.events_max)

    def _count_for_owner(self, before: Job | None, after: Job) -> None:
        has_changed = before is None or before.has_ended != after.has_ended
        if self._keeping.counts_jobs and has_changed:
            place = None if after.has_ended else epoch_ms(after.created_at)
            self.place(keys.jobs_of(after.owner), after.job_id, place)
        is_measured = before is not None and after.duration_ms and not before.duration_ms
        if self._keeping.counts_audio and is_measured and after.is_audio:
            member = f"{after.job_id}@{self._at:%Y%m%d}"
            self.place(keys.audio_of(after.owner), member, after.duration_ms)

    def _index_place(self, job: Job) -> Place:
        if job.status in ACTIVE:
            return epoch_ms(job.created_at)
        return keys.PINNED_SCORE if job.pinned else Later(self._keeping.job_ttl_ms)

    def _stage_lease_place(self, job: Job) -> Place:
        if not job.needs_pipeline:
            return None
        if job.stage.holder:
            return Later(self._keeping.stage_lease_ms)
        return self._rest(job.stage.not_before)

    def _chunk_lease_place(self, chunk: Chunk) -> Place:
        if chunk.status is ChunkStatus.RUNNING:
            return Later(self._keeping.chunk_lease_ms)
        return self._rest(chunk.not_before)

    def _rest(self, until: datetime | None) -> Place:
        return Later(max(0, epoch_ms(until) - epoch_ms(self._at))) if until else None

    def _clear_up(self, before: Job, after: Job) -> None:
        """An ended job has its chunk list in its record; what was kept apart goes."""
        self.delete(keys.chunks(after.job_id))
        for i in range(before.total_chunks if before.status is JobStatus.PROCESSING else 0):
            self.drop_chunk_name(chunk_id(after.job_id, i), before.lane)
        if after.status is JobStatus.COMPLETED:
            self.delete(keys.results(after.job_id))


def _stage_queue_place(job: Job) -> Place:
    idle = job.needs_pipeline and not job.stage.holder and not job.stage.not_before
    return epoch_ms(job.ready_at) + sooner(job.priority) if idle else None
