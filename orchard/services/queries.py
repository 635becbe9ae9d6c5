"""What pages and API read: counts, pages, single jobs, transcripts, events. Nothing scans."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from orchard import codec, keys
from orchard.codec import readable
from orchard.domain import timeline, transcripts, workers
from orchard.domain.chunks import Chunk, parse_chunk_id
from orchard.domain.errors import (
    DamagedRecord,
    InvalidInput,
    StaleToken,
    UnknownChunk,
    UnknownJob,
    UnknownWorker,
)
from orchard.domain.events import JobRemoved
from orchard.domain.jobs import Job
from orchard.domain.lifecycle import ChunkStatus, JobStatus, WorkerStatus
from orchard.domain.workers import Worker
from orchard.ports import recordings
from orchard.repository import (
    Draft,
    decode_chunks,
    epoch_ms,
    find_job,
    job_cell,
    worker_cell,
)
from orchard.services.counts import count_jobs, worker_bounds
from orchard.services.limits import keeping
from statecore.store import cursors, ops
from statecore.store.errors import BadCursor
from statecore.store.steps import (
    Decision,
    Seen,
    Steps,
    now,
    read,
    scan_index,
    tail,
    transact,
)

MAX_PAGE = 200
"""Most entries of one page."""

JOB_STATUSES = tuple(str(status) for status in JobStatus)
"""The names of all states of a job, for those who may ask for one."""


class JobView(msgspec.Struct, frozen=True):
    """A job with its chunk list, wherever that is kept at the moment."""

    job: Job
    chunks: tuple[Chunk, ...]


class JobPage(msgspec.Struct, frozen=True):
    """One page of jobs, newest first, and the cursor of the next page."""

    jobs: list[JobView]
    next: str | None
    count: int


class TranscriptView(msgspec.Struct, frozen=True):
    """What is transcribed of a job so far; ``partial`` until all of it is."""

    job: Job
    transcript: timeline.Transcript
    partial: bool


def get_job(job_id: str) -> Steps[JobView]:
    """A job with its chunk list, and with its transcript when it has ended.

    Raises:
        UnknownJob: there is none of this id, or it has expired.
    """
    raw, fields = yield from read(job_cell(job_id), ops.WholeHash(keys.chunks(job_id)))
    if raw is None:
        yield from forget_job(job_id)
        raise UnknownJob
    job = codec.decode_job(raw)
    view = JobView(job=_with_text(job), chunks=_chunks(job, fields))
    return view


def list_jobs(
    *, status: JobStatus | None = None, limit: int = 50, cursor: str = ""
) -> Steps[JobPage]:
    """One page of jobs, newest first; of one state, those that ended last first.

    An entry whose record was deleted by hand or has expired is dropped when met.

    Raises:
        InvalidInput: the limit or the cursor is none.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidInput("limit", f"must be from 1 to {MAX_PAGE}")
    index = keys.jobs_in(status) if status else keys.JOBS
    entries = yield from scan_index(index, limit, newest_first=True, after=parse_cursor(cursor))
    ids = [job_id for job_id, _ in entries]
    raws = yield from read(*map(job_cell, ids))
    for job_id, raw in zip(ids, raws, strict=True):
        if raw is None:
            yield from forget_job(job_id)
    views = yield from _views(readable(codec.decode_job, raws))
    counts = yield from count_jobs()
    last = entries[-1] if len(entries) == limit else None
    return JobPage(
        jobs=views, next=cursors.make_cursor(*last) if last else None,
        count=counts[status] if status else sum(counts.values()),
    )  # fmt: skip


def forget_job(job_id: str) -> Steps[bool]:
    """Drop what is left of a job that is gone; true when something was.

    Its record has expired, or is about to, or somebody deleted it by hand
    (CONTRACTS section 1).
    """
    score, fields = yield from read(
        ops.Score(keys.JOBS, job_id), ops.WholeHash(keys.chunks(job_id))
    )
    if score is None:
        return False
    lane = next((one.lane for one in readable(codec.decode_chunk, fields.values())), "")

    def decide(seen: Seen, at: datetime) -> Decision[bool]:
        job = find_job(seen, job_id)
        ttl = timedelta(milliseconds=keeping().job_ttl_ms)
        if job and (not job.has_ended or job.pinned or at < job.updated_at + ttl):
            return Decision(False)
        draft = Draft(keeping(), at)
        draft.drop_job(job_id, len(fields), lane)
        draft.events([JobRemoved(at=at, job_id=job_id)])
        return Decision(True, draft.writes())

    gone = yield from transact([job_cell(job_id)], decide)
    if gone:
        recordings.delete(job_id)
    return gone


def get_transcript(job_id: str) -> Steps[TranscriptView]:
    """The transcript of a job, or what there is of it so far.

    Raises:
        UnknownJob: there is none of this id.
    """
    view = yield from get_job(job_id)
    if raw := recordings.read(recordings.transcript_name(job_id)) if view.job.has_ended else None:
        whole = msgspec.json.decode(raw, type=timeline.Transcript)
        partial = view.job.status is not JobStatus.COMPLETED
        return TranscriptView(job=view.job, transcript=whole, partial=partial)
    (fields,) = yield from read(ops.WholeHash(keys.results(job_id)))
    joined = join_results(view.chunks, fields)
    return TranscriptView(job=view.job, transcript=joined, partial=True)


def join_results(chunks: Sequence[Chunk], fields: dict[str, bytes]) -> timeline.Transcript:
    """Join the accepted results of a job's chunks on the timeline of the recording."""
    done = [c for c in chunks if c.status is ChunkStatus.COMPLETED and str(c.index) in fields]
    return timeline.join(
        [
            (timeline.Span(start_ms=c.start_ms, end_ms=c.end_ms), result)
            for c in done
            for result in [codec.decode_result(fields[str(c.index)])]
        ]
    )


def chunk_audio_name(chunk_name: str, token: int | None = None) -> Steps[str]:
    """Where the sound of a chunk is in storage.

    Raises:
        UnknownChunk: there is no such chunk.
        StaleToken: a token was given, and somebody else holds the chunk now.
    """
    place = parse_chunk_id(chunk_name)
    if place is None:
        raise UnknownChunk
    (raw,) = yield from read(ops.Field(keys.chunks(place[0]), str(place[1])))
    if raw is None:
        raise UnknownChunk
    chunk = codec.decode_chunk(raw)
    if token is not None and not chunk.has_token(token):
        raise StaleToken(holder=chunk.worker_id, status=str(chunk.status))
    return recordings.chunk_name(*place)


def list_workers(limit: int = 1000) -> Steps[list[Worker]]:
    """All workers of the fleet by URL, each with its state as of now."""
    heard_ms, gone_ms = yield from worker_bounds()
    entries = yield from scan_index(keys.WORKERS, limit, low=gone_ms, newest_first=True)
    raws = yield from read(*(worker_cell(url) for url, _ in entries))
    found = readable(codec.decode_worker, raws)
    return sorted((_as_of(worker, heard_ms) for worker in found), key=lambda w: w.url)


def get_worker(worker_id: str) -> Steps[Worker]:
    """A worker, with its state as of now.

    Raises:
        UnknownWorker: it is not in the fleet.
    """
    url = workers.worker_url(worker_id)
    heard_ms, _ = yield from worker_bounds()
    (raw,) = yield from read(worker_cell(url or worker_id))
    if raw is None:
        raise UnknownWorker
    return _as_of(codec.decode_worker(raw), heard_ms)


def _as_of(worker: Worker, heard_ms: float) -> Worker:
    if epoch_ms(worker.last_updated) >= heard_ms:
        return worker
    return msgspec.structs.replace(worker, status=WorkerStatus.OFFLINE)


def events_after(cursor: str, *, block_ms: int = 0, limit: int = 500) -> Steps[ops.Tailed]:
    """Events after a cursor, waiting up to ``block_ms`` for the first.

    Raises:
        InvalidInput: the cursor is none of this stream's.
    """
    try:
        return (yield from tail(keys.EVENTS, cursor, limit, block_ms))
    except BadCursor:
        raise InvalidInput("cursor", "not a cursor of the events") from None


def job_status(name: str) -> JobStatus | None:
    """A state of jobs by its name; ``None`` for no name, and for one that there is not."""
    return JobStatus(name) if name in JOB_STATUSES else None


def clock() -> Steps[datetime]:
    """The engine's time, by which everything that has happened is dated."""
    return now()


def events_end() -> Steps[str]:
    """The cursor of *now*. Take it before reading a snapshot, and nothing is missed."""
    tailed = yield from tail(keys.EVENTS, "$", 1, 0)
    return tailed.cursor


def _views(jobs: Sequence[Job]) -> Steps[list[JobView]]:
    open_jobs = [job for job in jobs if job.chunks is None and job.total_chunks]
    hashes = yield from read(*(ops.WholeHash(keys.chunks(job.job_id)) for job in open_jobs))
    found = {job.job_id: fields for job, fields in zip(open_jobs, hashes, strict=True)}
    return [JobView(job=job, chunks=_chunks_shown(job, found.get(job.job_id, {}))) for job in jobs]


def _chunks(job: Job, fields: dict[str, bytes]) -> tuple[Chunk, ...]:
    return job.chunks if job.chunks is not None else decode_chunks(fields)


def _chunks_shown(job: Job, fields: dict[str, bytes]) -> tuple[Chunk, ...]:
    """The chunks for a list, which damaged ones must not spoil."""
    try:
        return _chunks(job, fields)
    except DamagedRecord:
        return ()


def _with_text(job: Job) -> Job:
    """The job with the text of its result, which a long one keeps in storage."""
    if job.result is None or job.result.text is not None:
        return job
    raw = recordings.read(recordings.transcript_name(job.job_id))
    if raw is None:
        return job
    whole = msgspec.json.decode(raw, type=timeline.Transcript)
    if not job.is_audio:
        text = "\n".join(line.text for line in whole.segments)
        result = msgspec.structs.replace(job.result, text=text, segments=())
        return msgspec.structs.replace(job, result=result)
    return msgspec.structs.replace(job, result=transcripts.with_text(job.result, whole))


def parse_cursor(cursor: str) -> tuple[float, str] | None:
    """Score and member that a cursor stands for.

    Raises:
        InvalidInput: it is no cursor.
    """
    try:
        return cursors.parse_cursor(cursor)
    except BadCursor:
        raise InvalidInput("cursor", "not a cursor of this list") from None
