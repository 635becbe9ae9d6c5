"""Stages of a job: claimed under a lease, kept alive, finished or given up, each in one commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from orchard import keys
from orchard.domain import stages
from orchard.domain.chunks import Chunk, Facts, redo_chunk
from orchard.domain.errors import TransitionRefused, UnknownJob
from orchard.domain.jobs import Job, JobChange, Result
from orchard.domain.lifecycle import ChunkStatus
from orchard.domain.timeline import Span
from orchard.repository import Draft, decode_chunks, find_job, job_cell
from orchard.services import lanes, traces
from orchard.services.limits import keeping, stage_policy
from orchard.services.takes import take_known
from statecore.store import ops
from statecore.store.steps import Decision, Seen, Steps, read, transact

_JOB = ops.Companion(keys.job(""))
"""What a name in the queue of stages stands for."""

Decider = Callable[[Job, datetime], JobChange]


def claim_stage(holder: str) -> Steps[Job | None]:
    """Take the oldest job that waits for a pipeline process, or one whose process fell silent."""
    while True:
        lease_ms = keeping().stage_lease_ms
        taken = yield from take_known(keys.STAGE_QUEUE, keys.STAGE_LEASES, 1, lease_ms, "", _JOB)
        if not taken:
            return None
        job_id, values = taken[0].member, taken[0].values
        yield ops.Remember({job_cell(job_id): value for value in values})
        job = yield from _start(job_id, holder)
        if job:
            if job.lane:
                yield from lanes.note(job.lane)
            return job


def _start(job_id: str, holder: str) -> Steps[Job | None]:
    def decide(seen: Seen, at: datetime) -> Decision[Job | None]:
        job = find_job(seen, job_id)
        if job is None:
            return _no_stage(job_id, at)
        try:
            change = stages.start_stage(job, holder, stage_policy(), at=at)
        except TransitionRefused:
            return _no_stage(job_id, at)
        decided = _decision(job, change, at)
        return Decision(None if change.job.has_ended else change.job, decided.writes)

    return (yield from transact([job_cell(job_id)], decide))


def progress(job_id: str, token: int, share: float) -> Steps[Job]:
    """Note how far a stage is (0 to 1), and extend its lease.

    Raises:
        StaleToken: another process holds the stage, or the job was cancelled.
        UnknownJob: the job was deleted.
    """
    return _change(job_id, lambda job, at: stages.progress_stage(job, token, share, at=at))


def finish_purifying(job_id: str, token: int, duration_ms: int) -> Steps[Job]:
    """Note that the cleaned sound is in storage; raises as :func:`progress`."""
    return _change(job_id, lambda job, at: stages.finish_purifying(job, token, duration_ms, at=at))


def finish_splitting(
    job_id: str, token: int, spans: Sequence[Span], duration_ms: int,
    facts: Sequence[Facts] = (),
) -> Steps[Job]:  # fmt: skip
    """Note that the chunks are in storage, and queue them; raises as :func:`progress`."""

    def decide(job: Job, at: datetime) -> JobChange:
        return stages.finish_splitting(job, token, spans, duration_ms, at=at, facts=facts)

    return _change(job_id, decide)


def resume_processing(job_id: str, token: int) -> Steps[Job]:
    """Queue what an earlier round left undone; raises as :func:`progress`."""
    chunks, fields = yield from get_results(job_id)
    # A result may be gone though its chunk says completed: then the chunk is done again.
    known = [chunk if str(chunk.index) in fields else redo_chunk(chunk) for chunk in chunks]
    return (
        yield from _change(
            job_id, lambda job, at: stages.resume_processing(job, token, known, at=at)
        )
    )


def finish_aggregating(
    job_id: str, token: int, result: Result, chunks: Sequence[Chunk]
) -> Steps[Job]:
    """Note that the transcript is in storage, and end the job; raises as :func:`progress`."""

    def decide(job: Job, at: datetime) -> JobChange:
        return stages.finish_aggregating(job, token, result, chunks, at=at)

    return _change(job_id, decide)


def fail_stage(job_id: str, token: int, error: str, *, retry: bool) -> Steps[Job]:
    """Note that a stage went wrong; raises as :func:`progress`."""
    (fields,) = yield from read(ops.WholeHash(keys.chunks(job_id)))
    chunks = decode_chunks(fields)

    def decide(job: Job, at: datetime) -> JobChange:
        policy = stage_policy()
        return stages.fail_stage(job, token, error, policy, retry=retry, at=at, chunks=chunks)

    return (yield from _change(job_id, decide))


def hand_back(job_id: str, token: int) -> Steps[Job]:
    """Return a stage because its process shuts down; raises as :func:`progress`."""
    return _change(job_id, lambda job, at: stages.hand_back_stage(job, token))


def get_results(job_id: str) -> Steps[tuple[tuple[Chunk, ...], dict[str, bytes]]]:
    """The chunks of a job that is not over, and the results accepted so far."""
    chunks, results = yield from read(
        ops.WholeHash(keys.chunks(job_id)), ops.WholeHash(keys.results(job_id))
    )
    return decode_chunks(chunks), results


def _change(job_id: str, decider: Decider) -> Steps[Job]:
    def decide(seen: Seen, at: datetime) -> Decision[Job]:
        job = find_job(seen, job_id)
        if job is None:
            raise UnknownJob
        return _decision(job, decider(job, at), at)

    changed = yield from transact([job_cell(job_id)], decide, hot=[job_id])
    if changed.has_ended:
        traces.end_job(changed)
    return changed


def _decision(before: Job, change: JobChange, at: datetime) -> Decision[Job]:
    draft = Draft(keeping(), at)
    draft.job(before, change.job)
    for chunk in change.chunks:
        if chunk.status is ChunkStatus.WAITING:
            draft.chunk(before.job_id, None, chunk)
        else:
            draft.keep_chunk(before.job_id, chunk)
    draft.events(change.events)
    return Decision(change.job, draft.writes())


def _no_stage(job_id: str, at: datetime) -> Decision[Job | None]:
    draft = Draft(keeping(), at)
    draft.drop_stage(job_id)
    return Decision(None, draft.writes())
