"""A small world with something of everything in it, made by the services themselves."""

from __future__ import annotations

import threading
from typing import NamedTuple

from orchard.domain.chunks import chunk_id
from orchard.domain.jobs import Job
from orchard.domain.timeline import ChunkResult, Span
from orchard.ports import recordings
from orchard.services import claims, fleet, pipeline, preferences, reports, run, submissions
from orchard.services.claims import Claimed
from orchard.services.stages import do_stage
from statecore.domain.issues import Claimant, Holder
from statecore.domain.lifecycle import IssueStatus
from statecore.services import checkouts, labels, locks, namespaced, processes


class World(NamedTuple):
    """The names of what is in it."""

    created: str
    processing: str
    """Three chunks: completed, running, waiting."""
    completed: str
    pinned: str
    cancelled: str
    failed: str


def make() -> World:
    """The world; nothing is wrong in it."""
    run(fleet.register(name="w1"))
    run(fleet.register(name="w2"))
    finished = [_finished() for _ in range(2)]
    run(submissions.pin(finished[1], True))
    failed = submit().job_id
    run(pipeline.fail_stage(*_claimed(failed), "no sound", retry=False))
    cancelled = split()
    run(submissions.cancel(cancelled))
    busy = split()
    complete(claim())
    claim()
    created = submit(idempotency_key="k1").job_id
    run(preferences.set_use_purifier("ann", False))
    _make_state()
    return World(created, busy, finished[0], finished[1], cancelled, failed)


def submit(**options: object) -> Job:
    """A job with a recording in storage."""
    job_id = run(submissions.name_job("ann", str(options.get("idempotency_key", ""))))
    source = recordings.source_name(job_id, "talk.wav")
    recordings.save_bytes(source, b"sound")
    given = {"owner": "ann", "use_purifier": True, "job_id": job_id} | options
    return run(submissions.create("talk.wav", source, 5, **given))  # type: ignore[arg-type]


def split(chunks: int = 3) -> str:
    """A job whose chunks wait for workers, with their sound in storage."""
    job_id = submit().job_id
    run(pipeline.finish_purifying(*_claimed(job_id), 180_000))
    for index in range(chunks):
        recordings.save_bytes(recordings.chunk_name(job_id, index), b"sound")
    spans = [Span(start_ms=i * 60_000, end_ms=(i + 1) * 60_000 - i) for i in range(chunks)]
    run(pipeline.finish_splitting(*_claimed(job_id), spans, 180_000))
    return job_id


def claim(worker_id: str = "w1") -> Claimed:
    """A chunk that the worker holds now."""
    (claimed,) = run(claims.claim(worker_id, 1))
    return claimed


def complete(claimed: Claimed) -> None:
    """Report the chunk as done."""
    chunk = claimed.chunk
    result = ChunkResult(text="words", time_ms=500, segments=())
    run(reports.complete(name_of(claimed), chunk.worker_id, chunk.token, result))


def name_of(claimed: Claimed) -> str:
    """The chunk's id."""
    return chunk_id(claimed.job.job_id, claimed.chunk.index)


def finish(job_id: str) -> None:
    """Do what is left of a job, as workers and pipeline would."""

    while claimed := run(claims.claim("w2", 1)):
        complete(claimed[0])
    job = run(pipeline.claim_stage("p1"))
    assert job
    assert job.job_id == job_id
    do_stage(job, threading.Event())


def _finished() -> str:
    job_id = split()
    for _ in range(3):
        complete(claim())
    finish(job_id)
    return job_id


def _claimed(job_id: str) -> tuple[str, int]:
    job = run(pipeline.claim_stage("p1"))
    assert job
    assert job.job_id == job_id
    return job_id, job.stage.token


def _make_state() -> None:
    run(processes.register("agent-1"))
    run(checkouts.check_out(1, Holder(process_id="agent-1")))
    run(checkouts.check_out(2, Holder(process_id="agent-2")))
    claimant = Claimant(process_id="agent-2")
    run(checkouts.check_in(2, IssueStatus.COMPLETED, {"pr": 7}, claimant))
    run(checkouts.update(3, IssueStatus.PENDING))
    run(processes.register("agent-3"))
    run(processes.clean_up("agent-3"))
    run(locks.acquire("deploy", "agent-1"))
    run(namespaced.put("notes", "a", {"b": 1}))
    sent, failed, *_ = run(labels.claim(2))
    run(labels.mark_sent(sent.request_id))
    run(labels.mark_failed(failed.request_id, "refused", final=True))
