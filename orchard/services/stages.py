"""The work of a pipeline process: purify, split and aggregate, each repeatable at any moment.

A stage writes its files first and commits last. A process that dies on the
way leaves nothing but files that its successor writes again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from orchard.conf import get_conf
from orchard.domain import transcripts
from orchard.domain.errors import StaleToken, StorageAway, UnknownJob
from orchard.domain.jobs import Job
from orchard.domain.lifecycle import JobStatus
from orchard.ports import audio, recordings
from orchard.services import pipeline, queries
from orchard.services.engine import EngineAway, run
from statecore.sealing.site import Part, sealing_of_site

log = logging.getLogger("orchard.pipeline")


class StageLost(Exception):
    """The stage is no longer ours: its lease was taken over, or the job is gone."""


class LeaseKeeper:
    """Extends the lease of one stage from a thread of its own, with the progress so far."""

    def __init__(self, job: Job, stopping: threading.Event) -> None:
        self._job = job
        self._stopping = stopping
        self._share = 0.0
        self._lost = threading.Event()
        self._done = threading.Event()
        self._every_s = min(get_conf().stage_lease_s / 3, 2.0)
        self._thread = threading.Thread(target=self._keep, name="lease-keeper", daemon=True)

    def __enter__(self) -> LeaseKeeper:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def progress(self, share: float) -> None:
        """Note how far the work is (0 to 1).

        Raises:
            StageLost: somebody else has the stage; stop working on it.
            Stopping: the process was asked to stop.
        """
        self._share = share
        if self._lost.is_set():
            raise StageLost
        if self._stopping.is_set():
            raise Stopping

    def _keep(self) -> None:
        while not self._done.wait(self._every_s):
            try:
                run(pipeline.progress(self._job.job_id, self._job.stage.token, self._share))
            except (StaleToken, UnknownJob):
                self._lost.set()
                return
            except EngineAway:  # the lease holds as long as nobody can take it over
                log.warning("the state engine is away; job %s waits for it", self._job.job_id)


class Stopping(Exception):
    """The process was asked to stop in the middle of a stage."""


def do_stage(job: Job, stopping: threading.Event) -> None:
    """Do the stage that a job is in, and commit its outcome.

    Sound that cannot be read ends the job with the decoder's reason; any other
    fault is tried again after a rest. A stage cut off by ``stopping`` is handed back.
    """
    job_id, token = job.job_id, job.stage.token
    try:
        with recordings.room(), LeaseKeeper(job, stopping) as keeper:
            _WORK[job.status](job, keeper)
    except (StageLost, StaleToken, UnknownJob):
        log.info("job %s: %s went to somebody else", job_id, job.status)
    except Stopping:
        run(pipeline.hand_back(job_id, token))
    except EngineAway:
        raise
    except StorageAway:  # no fault of the recording: it is tried again as often as need be
        run(pipeline.hand_back(job_id, token))
        raise
    except audio.UnreadableAudio as fault:
        run(pipeline.fail_stage(job_id, token, str(fault), retry=False))
    except Exception as fault:
        log.exception("job %s: %s went wrong", job_id, job.status)
        reason = f"{job.status} went wrong: {type(fault).__name__}: {fault}"
        run(pipeline.fail_stage(job_id, token, reason, retry=True))


def _purify(job: Job, keeper: LeaseKeeper) -> None:
    with recordings.scratch() as folder, recordings.open_read(job.source) as source:
        clean = folder / "clean.wav"
        info = audio.purify(source, clean, noise_reduction=True, progress=keeper.progress)
        recordings.save_path(recordings.clean_name(job.job_id), clean)
    run(pipeline.finish_purifying(job.job_id, job.stage.token, info.duration_ms))


def _split(job: Job, keeper: LeaseKeeper) -> None:
    if job.total_chunks:
        run(pipeline.resume_processing(job.job_id, job.stage.token))
        return
    with recordings.scratch() as folder:
        sound = _sound(job, folder, _part(keeper.progress, 0.0, 0.4))

        def keep(index: int, path: Path) -> None:
            recordings.save_path(recordings.chunk_name(job.job_id, index), path)

        cut = audio.split(sound, folder, keep, progress=_part(keeper.progress, 0.4, 1.0))
    run(pipeline.finish_splitting(job.job_id, job.stage.token, cut.spans, cut.duration_ms))
    recordings.delete_name(recordings.clean_name(job.job_id))


def _sound(job: Job, folder: Path, progress: Callable[[float], None]) -> Path:
    """The sound to split, as a local file: cleaned by the stage before, or as it came."""
    local = folder / "sound.wav"
    clean = recordings.clean_name(job.job_id)
    if recordings.exists(clean):
        recordings.fetch(clean, local)
    else:
        with recordings.open_read(job.source) as source:
            audio.purify(source, local, noise_reduction=False, progress=progress)
    return local


def _aggregate(job: Job, keeper: LeaseKeeper) -> None:
    chunks, fields = run(pipeline.get_results(job.job_id))
    joined = queries.join_results(chunks, fields)
    keeper.progress(0.5)
    name = recordings.transcript_name(job.job_id)
    recordings.save_bytes(name, msgspec.json.encode(joined))
    time_ms = sum(chunk.time_ms for chunk in chunks)
    result = transcripts.make_result(joined, time_ms, _most_inline())
    ended = run(pipeline.finish_aggregating(job.job_id, job.stage.token, result, chunks))
    if ended.status is JobStatus.COMPLETED:
        recordings.delete_chunks(job.job_id)


def _most_inline() -> int:
    """The longest transcript that a job's record may hold, in bytes; none, if only it is plain."""
    sealing = sealing_of_site()
    if sealing.key_for(Part.TRANSCRIPTS) and not sealing.key_for(Part.RECORDS):
        return 0
    return get_conf().result_inline_max_bytes


def _part(progress: Callable[[float], None], start: float, end: float) -> Callable[[float], None]:
    """Report a part of the work as a part of the whole."""
    return lambda share: progress(start + (end - start) * share)


_WORK = {
    JobStatus.PURIFYING: _purify,
    JobStatus.SPLITTING: _split,
    JobStatus.AGGREGATING: _aggregate,
}
