"""Jobs of other types, brought from their files to their outputs."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile

from orchard.agents.processors import Processor
from orchard.domain.jobs import Job
from orchard.domain.orders import Order
from orchard.domain.timeline import ChunkResult
from orchard.ports import recordings
from orchard.services import claims, fleet, pipeline, queries, reports, run, uploads
from orchard.services.claims import Claimed
from orchard.services.stages import do_stage
from tests.services.orchards import name_of


def hand_in(content: str | bytes, name: str = "a.txt", **order: Any) -> Job:
    """A job of a type, ``broken`` unless said otherwise."""
    raw = content.encode() if isinstance(content, str) else content
    asked = Order(**{"job_type": "broken"} | order)
    return uploads.submit(ContentFile(raw, name=name), owner="ann", order=asked)[0]


def work_on(clock: Any, rounds: int = 8) -> None:
    """Do all stages there are, with the rests after failures."""
    for _ in range(rounds):
        while job := run(pipeline.claim_stage("p1")):
            do_stage(job, threading.Event())
        clock.advance(70)


def worker(name: str = "w1", *types: str, labels: tuple[str, ...] = ()) -> str:
    """A worker that does these types, ``broken`` unless said otherwise."""
    steps = fleet.register(name=name, types=types or ("broken",), labels=labels)
    return run(steps).worker_id


def claim(worker_id: str = "w1", count: int = 10) -> list[Claimed]:
    """Chunks that the worker holds now."""
    return run(claims.claim(worker_id, count))


def complete(claimed: Claimed, text: str) -> reports.Accepted:
    """Report a result."""
    holder, token = claimed.chunk.worker_id, claimed.chunk.token
    steps = reports.complete(name_of(claimed), holder, token, ChunkResult(text=text, time_ms=5))
    return run(steps)


def process(claimed: Claimed, processor: Processor, folder: Path) -> reports.Accepted:
    """Do a chunk as an agent does."""
    payload = folder / "payload"
    recordings.fetch(recordings.chunk_name(claimed.job.job_id, claimed.chunk.index), payload)
    text = processor(payload, claimed.chunk.facts or {}, lambda share: None)
    return complete(claimed, text)


def see(job: Job) -> Job:
    """The job as it is now, with its text."""
    return run(queries.get_job(job.job_id)).job
