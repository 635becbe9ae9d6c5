"""One pipeline process with several jobs at hand."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from django.core.files import File

from orchard.domain.jobs import Job
from orchard.domain.lifecycle import JobStatus
from orchard.services import pipeline_process, queries, run, uploads
from tests import recordings
from tests.servers import until


@pytest.fixture
def store(memory_store):
    """Its clock is that of this machine."""
    from orchard.services import engine

    before = engine.use(memory_store)
    yield memory_store
    engine.use(before)


def hand_in(pauses: int, folder: Path, name: str) -> str:
    path = recordings.write_wav(recordings.build([1.0] * pauses).samples, folder / name)
    with path.open("rb") as stream:
        job, _ = uploads.submit(File(stream, name=name), owner="ann")
    return job.job_id


def look(job_id: str) -> Job:
    return run(queries.get_job(job_id)).job


@pytest.mark.parametrize(
    ("memory_mb", "processors", "jobs"),
    [(24, 8, 1), (47, 8, 1), (48, 8, 2), (480, 4, 4), (48, 1, 1)],
)
def test_jobs_are_done_side_by_side_as_far_as_memory_and_processors_reach(
    memory_mb, processors, jobs
):
    assert pipeline_process.jobs_at_once(memory_mb, processors) == jobs


def test_a_short_recording_need_not_wait_for_a_long_one(store, tmp_path: Path):
    long = hand_in(400, tmp_path, "long.wav")
    stopping = threading.Event()
    process = threading.Thread(
        target=pipeline_process.work, args=(stopping,), kwargs={"holder": "p", "at_once": 2}
    )
    process.start()
    try:
        until(lambda: look(long).stage.attempts)
        short = hand_in(3, tmp_path, "short.wav")
        until(lambda: look(short).status is JobStatus.PROCESSING)
        assert look(long).status in (JobStatus.PURIFYING, JobStatus.SPLITTING)
    finally:
        stopping.set()
        process.join(60)
    assert not process.is_alive()
