"""The known faults of the old master (CONTRACTS section 5), each shown to be gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files import File
from django.test import Client

from orchard import codec, keys
from orchard.conf import get_conf
from orchard.domain.events import JobPurified
from orchard.domain.lifecycle import JobStatus
from orchard.domain.timeline import ChunkResult, Line
from orchard.ports import recordings as storage
from orchard.services import cleanup, engine, pipeline, queries, reports, run, stages, uploads
from orchard.services.claims import Claimed
from statecore.store import ops
from statecore.store.clock import ManualClock
from statecore.store.redis import RedisStore
from tests import recordings
from tests.conftest import EngineServer
from tests.services.orchards import claim, complete, name_of, processing, submit, worker


@pytest.fixture
def engine_store(redis_store: RedisStore) -> Iterator[RedisStore]:
    """The services of the test run against a real server."""
    before = engine.use(redis_store)
    yield redis_store
    engine.use(before)


def finish_all(name: str = "w1") -> None:
    """Do everything that is in the queue."""
    while held := claim(name, 100):
        for one in held:
            complete(one)


# -- "read-modify-write without a transaction loses chunk completions under threads"


def test_completions_are_not_lost_under_threads(engine_store: RedisStore):
    job = processing(400)
    worker()
    held = [one for _ in range(4) for one in claim(count=100)]
    faults: list[BaseException] = []

    def report(mine: list[Claimed]) -> None:
        try:
            for one in mine:
                complete(one)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=report, args=(held[i::8],)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    done = run(queries.get_job(job.job_id))
    assert (done.job.completed_chunks, done.job.status) == (400, JobStatus.AGGREGATING)
    assert all(chunk.status == "completed" for chunk in done.chunks)


def test_completions_are_not_lost_when_each_thread_has_its_own_connection(
    engine_server: EngineServer, engine_store: RedisStore
):
    """Eight stores are like eight processes: they share no lock and no memory."""
    job = processing(200)
    worker()
    held = [one for _ in range(2) for one in claim(count=100)]
    stores = [RedisStore(engine_server.url) for _ in range(8)]

    def report(store: RedisStore, mine: list[Claimed]) -> None:
        result = ChunkResult(text="words", time_ms=5)
        for one in mine:
            store.run(reports.complete(name_of(one), "w1", one.chunk.token, result))

    threads = [
        threading.Thread(target=report, args=(store, held[i::8])) for i, store in enumerate(stores)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in stores:
        store.close()
    (raw,) = engine_store.read(ops.Key(keys.job(job.job_id)))
    assert raw is not None
    assert b'"completed_chunks":200' in raw


# -- "chunks are never retried when a worker dies"


def test_chunks_are_retried_when_a_worker_dies(store, clock: ManualClock):
    job = processing(3)
    worker("w1")
    lost = claim("w1", 2)
    clock.advance(get_conf().chunk_lease_s + 1)
    worker("w2")
    run(cleanup.clear_once())
    finish_all("w2")
    view = run(queries.get_job(job.job_id))
    assert [chunk.worker_id for chunk in view.chunks] == ["w2"] * 3
    assert view.job.status is JobStatus.AGGREGATING
    assert sorted(chunk.attempts for chunk in view.chunks) == [1, 2, 2]
    with pytest.raises(reports.OrchardError, match="Somebody else holds"):
        complete(lost[0])  # it was not dead after all, and comes too late


def test_chunks_are_retried_without_a_reaper_by_whoever_claims_next(store, clock: ManualClock):
    processing(1)
    worker("w1")
    claim("w1")
    clock.advance(get_conf().chunk_lease_s + 1)
    worker("w2")
    assert len(claim("w2")) == 1


# -- "a dead master loses the job"


def test_a_dead_master_does_not_lose_the_job(own_engine_server: EngineServer):
    first = RedisStore(own_engine_server.url)
    before = engine.use(first)
    try:
        job_id = processing(2).job_id
        worker()
        complete(claim()[0])
        (held,) = claim()
        first.close()
        own_engine_server.kill()  # everything dies at once, the state engine too
        own_engine_server.start()
        second = RedisStore(own_engine_server.url)
        engine.use(second)
        complete(held)  # what a worker held while the master was dead still counts
        view = run(queries.get_job(job_id))
        assert (view.job.completed_chunks, view.job.status) == (2, JobStatus.AGGREGATING)
        assert run(pipeline.claim_stage("p2")) is not None
        second.close()
    finally:
        engine.use(before)


def test_a_pipeline_process_that_dies_is_replaced(store, clock: ManualClock):
    job_id = submit().job_id
    assert run(pipeline.claim_stage("p1")) is not None
    assert run(pipeline.claim_stage("p2")) is None
    clock.advance(get_conf().stage_lease_s + 1)
    taken = run(pipeline.claim_stage("p2"))
    assert taken is not None
    assert (taken.job_id, taken.stage.holder) == (job_id, "p2")


# -- "`KEYS` on every list and on every stats call"


def test_no_list_and_no_count_uses_keys_or_scans(
    client: Client, engine_server: EngineServer, engine_store: RedisStore
):
    processing(3)
    worker()
    engine_server.client.config_resetstat()
    for path in ("/jobs", "/stats", "/workers", "/api/v1/jobs?status=failed", "/api/v1/workers"):
        assert client.get(path).status_code == 200
    run(cleanup.clear_once())
    used = {name.removeprefix("cmdstat_") for name in engine_server.client.info("commandstats")}
    assert not used & {"keys", "scan", "hscan", "sscan", "zscan", "smembers"}
    assert "evalsha" in used


def test_what_counts_and_lists_cost_does_not_depend_on_how_many_jobs_there_are(
    client: Client, engine_server: EngineServer, engine_store: RedisStore
):
    def commands(path: str) -> int:
        engine_server.client.config_resetstat()
        assert client.get(path).status_code == 200
        stats: Any = engine_server.client.info("commandstats")
        return sum(one["calls"] for name, one in stats.items() if "config" not in name)

    for _ in range(3):
        submit()
    client.get("/stats")
    few = [commands("/stats"), commands("/jobs?limit=3")]
    for _ in range(100):
        submit()
    assert commands("/stats") <= few[0]
    assert commands("/jobs?limit=3") <= few[1]


# -- "joined timestamps drift, because silence dropped at the cut and overlaps kept at it are not
# accounted for", and "the purifier is a five-second sleep"


def hand_in(samples: recordings.Samples, folder: Path, **options: Any) -> str:
    """A recording handed in like a file from a browser; the id of its job."""
    path = recordings.write_wav(samples, folder / "talk.wav")
    with path.open("rb") as stream:
        job, _ = uploads.submit(File(stream, name="talk.wav"), owner="ann", **options)
    return job.job_id


def pipeline_until(job_id: str, status: JobStatus) -> None:
    """Do the pipeline's stages until the job is so far."""
    while (now := run(queries.get_job(job_id)).job).status is not status:
        assert now.status is not JobStatus.FAILED, now.error
        job = run(pipeline.claim_stage("p1"))
        assert job is not None
        stages.do_stage(job, threading.Event())


def listen(samples: recordings.Samples) -> tuple[Line, ...]:
    """What is loud in a chunk, as a transcriber reports lines: from where to where."""
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160).astype(float)
    loud = [int(i) for i in np.flatnonzero(np.sqrt((frames**2).mean(axis=1)) > 600)]
    spans: list[list[int]] = []
    for frame in loud:
        if spans and frame - spans[-1][1] < 100:
            spans[-1][1] = frame
        else:
            spans.append([frame, frame])
    return tuple(
        Line(start_ms=start * 10, end_ms=end * 10 + 10, text="line") for start, end in spans
    )


def transcribe_all(folder: Path) -> None:
    """Be a worker that hears when somebody speaks, but no words."""
    worker("w1")
    while held := claim("w1"):
        path = folder / "chunk.wav"
        name = run(queries.chunk_audio_name(name_of(held[0]), held[0].chunk.token))
        storage.fetch(name, path)
        lines = listen(recordings.read_wav(path))
        result = ChunkResult(text="line " * len(lines), time_ms=1, segments=lines)
        run(reports.complete(name_of(held[0]), "w1", held[0].chunk.token, result))


def test_joined_timestamps_do_not_drift(store, tmp_path: Path):
    pauses = [2.0, 12.0, 1.6, 25.0, 4.0, 1.8, 31.0, 1.5, 18.0, 6.0, 40.0, 3.0, 14.0]
    recording = recordings.build(pauses)
    job_id = hand_in(recording.samples, tmp_path, use_purifier=False)
    pipeline_until(job_id, JobStatus.PROCESSING)
    transcribe_all(tmp_path)
    pipeline_until(job_id, JobStatus.COMPLETED)
    view = run(queries.get_job(job_id))
    starts = [line.start_ms for line in run(queries.get_transcript(job_id)).transcript.segments]
    errors = [min((start - onset for start in starts), key=abs) for onset in recording.onsets_ms]
    assert max(map(abs, errors)) <= 100
    # The same five clips come again and again, so each must be off by as much as before.
    assert max(abs(a - b) for a, b in zip(errors, errors[5:], strict=False)) <= 30
    assert view.job.total_chunks > 4
    assert view.job.speech_ms < view.job.duration_ms / 2, "silence was dropped, and still counted"
    assert all(a.end_ms <= b.start_ms for a, b in pairwise(view.chunks)), "no sound comes twice"


def test_the_purifier_cleans_and_does_not_just_wait(store, tmp_path: Path):
    recording = recordings.build([3.0, 3.0, 3.0])
    noisy = recordings.add_noise(recording.samples, "white", 0)
    job_id = hand_in(noisy, tmp_path, use_purifier=True)
    began = time.monotonic()
    pipeline_until(job_id, JobStatus.SPLITTING)
    assert time.monotonic() - began < 8.5  # the recording is of nine seconds
    storage.fetch(storage.clean_name(job_id), tmp_path / "clean.wav")
    clean = recordings.read_wav(tmp_path / "clean.wav")
    assert abs(len(clean) - len(noisy)) <= 160, "the timeline stays as it was"
    pause = slice(16_000, 40_000)  # nobody speaks in the first three seconds
    # As gently as it was measured to help the transcriber: docs/purifier.md.
    assert np.abs(clean[pause]).mean() < 0.99 * np.abs(noisy[pause]).mean()
    names = [codec.decode_event(raw) for _, raw in run(queries.events_after("")).entries]
    assert JobPurified in map(type, names)


# -- "results are dropped when the job key expires mid-run"


def test_results_are_not_dropped_however_long_the_job_runs(store, clock: ManualClock):
    job_id = processing(3).job_id
    worker("w1")
    complete(claim("w1")[0], "first")
    for _ in range(40):  # six hours and forty minutes, six times the life of an idle record
        clock.advance(600)
        run(cleanup.clear_once())
    assert run(queries.get_job(job_id)).job.status is JobStatus.PROCESSING
    worker("w1")
    while held := claim("w1"):
        complete(held[0], "later")
    assert run(queries.get_transcript(job_id)).transcript.text == "first later later"


def test_an_active_jobs_key_has_no_lifetime_and_an_ended_ones_has(
    engine_server: EngineServer, engine_store: RedisStore
):
    job_id = processing(1).job_id
    assert engine_server.client.ttl(f"job:{job_id}") == -1
    assert engine_server.client.ttl(f"chunks:{job_id}") == -1
    worker()
    complete(claim()[0])
    assert engine_server.client.ttl(f"results:{job_id}") == -1
    job = run(pipeline.claim_stage("p1"))
    assert job is not None
    run(pipeline.fail_stage(job_id, job.stage.token, "x", retry=False))
    assert 3500 < engine_server.client.ttl(f"job:{job_id}") <= 3600
