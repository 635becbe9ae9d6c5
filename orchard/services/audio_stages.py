"""The stages of recordings: purify, split at silences, join the transcript."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from orchard.conf import get_conf
from orchard.domain import transcripts
from orchard.domain.jobs import Job
from orchard.domain.lifecycle import JobStatus
from orchard.ports import audio, recordings
from orchard.services import pipeline, queries
from orchard.services.engine import run
from orchard.services.stage_leases import LeaseKeeper
from statecore.sealing.site import Part, sealing_of_site


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
    result = transcripts.make_result(joined, time_ms, most_inline())
    ended = run(pipeline.finish_aggregating(job.job_id, job.stage.token, result, chunks))
    if ended.status is JobStatus.COMPLETED:
        recordings.delete_chunks(job.job_id)


def most_inline() -> int:
    """The longest transcript that a job's record may hold, in bytes; none, if only it is plain."""
    sealing = sealing_of_site()
    if sealing.key_for(Part.TRANSCRIPTS) and not sealing.key_for(Part.RECORDS):
        return 0
    return get_conf().result_inline_max_bytes


def _part(progress: Callable[[float], None], start: float, end: float) -> Callable[[float], None]:
    """Report a part of the work as a part of the whole."""
    return lambda share: progress(start + (end - start) * share)


WORK = {
    JobStatus.PURIFYING: _purify,
    JobStatus.SPLITTING: _split,
    JobStatus.AGGREGATING: _aggregate,
}
"""What is done in each state that is a pipeline's."""
