"""Small worlds for services tests: jobs brought to a stage, workers with chunks."""

from __future__ import annotations

from orchard.domain.chunks import chunk_id
from orchard.domain.jobs import Job
from orchard.domain.timeline import ChunkResult, Span
from orchard.services import claims, fleet, pipeline, reports, run, submissions
from orchard.services.claims import Claimed


def submit(**options: object) -> Job:
    """A job as if it had just been uploaded."""
    given = {"owner": "ann", "use_purifier": True} | options
    return run(submissions.create("talk.wav", "jobs/x/source.wav", 5, **given))  # type: ignore[arg-type]


def processing(chunks: int = 3, **options: object) -> Job:
    """A job whose chunks wait for workers; the first one is the longest."""
    job_id = submit(**options).job_id
    job = run(pipeline.claim_stage("p1"))
    assert job
    assert job.job_id == job_id
    run(pipeline.finish_purifying(job_id, job.stage.token, 600_000))
    job = run(pipeline.claim_stage("p1"))
    assert job
    assert job.job_id == job_id
    spans = [Span(start_ms=i * 60_000, end_ms=(i + 1) * 60_000 - i * 100) for i in range(chunks)]
    return run(pipeline.finish_splitting(job_id, job.stage.token, spans, 600_000))


def worker(name: str = "w1") -> str:
    """A registered worker; returns its id."""
    return run(fleet.register(name=name)).worker_id


def claim(worker_id: str = "w1", count: int = 1) -> list[Claimed]:
    """Chunks that the worker holds now."""
    return run(claims.claim(worker_id, count))


def name_of(claimed: Claimed) -> str:
    """The chunk's id."""
    return chunk_id(claimed.job.job_id, claimed.chunk.index)


def complete(claimed: Claimed, text: str = "words") -> reports.Accepted:
    """Report the chunk as done."""
    result = ChunkResult(text=text, time_ms=500, segments=())
    return run(
        reports.complete(name_of(claimed), claimed.chunk.worker_id, claimed.chunk.token, result)
    )
