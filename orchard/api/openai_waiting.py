"""A request that waits for its transcript: until the job has ended, or patience has."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from orchard.api.openai_errors import JobCancelled, JobFailed, NotReady, UnreadableRecording
from orchard.domain.jobs import Job
from orchard.services import EngineAway, arun, submissions
from statecore.services.waiting import look_until_ending

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 1.0
"""Between two looks at a job; each pause is longer than the one before."""


async def await_transcript(job: Job, wait_s: float, *, repeatable: bool) -> Job:
    """The job once it is completed.

    Raises:
        NotReady: it is not in time, or this process is to stop; the job goes on.
        UnreadableRecording, JobFailed, JobCancelled: it has ended otherwise.
        UnknownJob: somebody deleted it.
    """
    ended = await look_until_ending(partial(_look, job), round(wait_s * 1000))
    if not ended.has_ended:
        again = (
            "send the request again" if repeatable else f"ask for it at /api/v1/jobs/{job.job_id}"
        )
        text = f"The transcript is not ready yet; job {job.job_id} goes on: {again}"
        raise NotReady(job, text, repeatable=repeatable)
    return _check(ended)


def _check(job: Job) -> Job:
    if job.status == "completed":
        return job
    if job.status == "cancelled":
        raise JobCancelled(job, f"Job {job.job_id} was cancelled")
    # Sound is read before it is cut, so that a job without chunks was no recording.
    kind = JobFailed if job.total_chunks else UnreadableRecording
    raise kind(job, f"Job {job.job_id} failed: {job.error}")


async def _look(job: Job, wait_ms: int) -> Job:
    """The job as it is, as soon as it has ended or the time is over.

    An engine that is away for a moment is waited for like everything else.
    """
    stop, pause = time.monotonic() + wait_ms / 1000, FIRST_PAUSE_S
    while True:
        left = stop - time.monotonic()
        try:
            job = await arun(submissions.get_record(job.job_id))
        except EngineAway:
            if left <= 0:
                raise
        if job.has_ended or left <= 0:
            return job
        await asyncio.sleep(min(pause, left))
        pause = min(2 * pause, LONGEST_PAUSE_S)
