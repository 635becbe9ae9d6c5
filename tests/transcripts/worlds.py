"""Small worlds for tests of transcripts: jobs whose chunks were heard."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from orchard.domain.jobs import Job
from orchard.domain.timeline import ChunkResult, Line, Word
from orchard.services import pipeline, reports, run, stages
from tests.services import orchards

HELLO = Line(
    start_ms=100, end_ms=900, text="hello there", speaker="Ann & Bob", avg_logprob=-0.25,
    no_speech_prob=0.01, compression_ratio=0.8,
    words=(
        Word(start_ms=100, end_ms=400, text=" hello", confidence=0.9),
        Word(start_ms=420, end_ms=900, text=" there", confidence=0.3),
    ),
)  # fmt: skip


def heard(line: Line = HELLO, language: str = "en") -> ChunkResult:
    """What a worker heard in one chunk."""
    return ChunkResult(
        text=line.text, time_ms=500, segments=(line,), metadata={"language": language}
    )


def said(results: Sequence[ChunkResult], **options: Any) -> Job:
    """A job whose chunks were heard like this, and which is to be joined."""
    job = orchards.processing(len(results), **options)
    orchards.worker("w1")
    for claimed in orchards.claim("w1", len(results)):
        run(
            reports.complete(
                orchards.name_of(claimed), "w1", claimed.chunk.token,
                results[claimed.chunk.index],
            )
        )  # fmt: skip
    return job


def finished(results: Sequence[ChunkResult] = (heard(HELLO),), **options: Any) -> str:
    """The id of a job that is completed."""
    job_id = said(results, **options).job_id
    while job := run(pipeline.claim_stage("p1")):
        stages.do_stage(job, threading.Event())
    return job_id
