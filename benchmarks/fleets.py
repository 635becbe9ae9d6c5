"""A fleet in miniature to measure with: jobs whose chunks wait, and workers that do nothing."""

from __future__ import annotations

from orchard.domain.chunks import chunk_id
from orchard.domain.jobs import Result
from orchard.domain.timeline import ChunkResult, Span
from orchard.services import claims, fleet, pipeline, reports, run, submissions
from orchard.services.said import Report

WORDS = "an old tree bears apples, pears and a few figs when summer ends in warm rain, as they say"
"""What nobody doubts; the quality guard looks at it as at any text."""
RESULT = ChunkResult(text=WORDS, time_ms=900, segments=())


def new_job() -> str:
    """Create a job that waits for the pipeline."""
    job = run(submissions.create("bench.wav", "", 1, owner="bench", use_purifier=False))
    return job.job_id


def new_work(chunks: int) -> str:
    """Create a job and bring it to where its chunks wait."""
    job_id = new_job()
    job = run(pipeline.claim_stage("bench"))
    while job and job.job_id != job_id:
        job = run(pipeline.claim_stage("bench"))
    if job is None:
        raise RuntimeError("the job did not reach its stage")
    spans = [Span(start_ms=i * 30_000, end_ms=(i + 1) * 30_000) for i in range(chunks)]
    run(pipeline.finish_splitting(job_id, job.stage.token, spans, chunks * 30_000))
    return job_id


def finish_job(job_id: str) -> None:
    """End a job whose chunks are all done, with a transcript that says nothing."""
    job = run(pipeline.claim_stage("bench"))
    if job is None or job.job_id != job_id:
        raise RuntimeError("the job did not reach its last stage")
    chunks, _ = run(pipeline.get_results(job_id))
    nothing = Result(segments_count=0, total_processing_time_ms=0, text="", segments=())
    run(pipeline.finish_aggregating(job_id, job.stage.token, nothing, chunks))


def new_worker(name: str) -> str:
    """Register a worker; returns its id."""
    return run(fleet.register(name=name)).worker_id


def claim(worker_id: str, count: int = 1) -> list[Report]:
    """Claim chunks, and make the reports that would complete them."""
    return as_reports(worker_id, run(claims.claim(worker_id, count)))


def as_reports(
    worker_id: str, claimed: list[claims.Claimed], result: ChunkResult = RESULT
) -> list[Report]:
    """The reports that would complete these chunks."""
    return [
        Report(
            chunk_id=chunk_id(one.job.job_id, one.chunk.index),
            worker_id=worker_id,
            token=one.chunk.token,
            result=result,
        )
        for one in claimed
    ]


def complete(done: list[Report]) -> None:
    """Report chunks as done."""
    run(reports.complete_many(done))
