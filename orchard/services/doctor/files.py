"""Files: recordings that jobs need, and folders that no job stands behind."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from django.core.files.storage import default_storage

from orchard import keys
from orchard.domain import repairs
from orchard.domain.chunks import chunk_id
from orchard.domain.jobs import Job, end_job
from orchard.domain.lifecycle import ChunkStatus, JobStatus
from orchard.ports import kept_back, recordings
from orchard.repository import Draft, job_cell
from orchard.services.doctor.catalogue import FOLDER, RECORDING
from orchard.services.doctor.judging import Fault, JobSeen
from orchard.services.doctor.reading import decoded_job, read_jobs
from orchard.services.doctor.symptoms import found
from orchard.services.limits import keeping
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.findings import Examiner, Finding, Subject
from statecore.store.walking import look_at

YOUNG_S = 3600.0
"""A folder younger than this may be of a job that is on its way in."""
BEFORE_CHUNKS = (JobStatus.CREATED, JobStatus.PURIFYING, JobStatus.SPLITTING)


class RecordingExaminer(Examiner):
    """The files that a job still needs, and the transcript of a finished one."""

    kind = RECORDING

    def look(self, store: Store, names: Sequence[str]) -> list[Finding]:
        """Files that these jobs should have and have not."""
        return [
            found(code, Subject(RECORDING, seen.job_id), what)
            for seen in read_jobs(store, _with_files(store, names))
            for code, what in _missing(seen)
        ]

    def mend(self, store: Store, name: str) -> list[Finding]:
        """Fail a job without its recording; begin one again whose chunks have no sound."""
        wrong = [each for each in self.look(store, [name]) if each.repair]
        for seen in read_jobs(store, [name]) if wrong else ():
            if seen.job is None:
                return []
            draft = _treat(store, seen.job, wrong[0].code)
            reply = store.commit({job_cell(name): seen.raw}, draft.writes())
            return wrong if isinstance(reply, ops.Committed) else []
        return []


class FolderExaminer(Examiner):
    """Folders of files, one a job."""

    kind = FOLDER

    def look(self, store: Store, names: Sequence[str]) -> list[Finding]:
        """Folders that belong to no job."""
        if kept_back.waiting():  # of its jobs the engine knows nothing yet
            return []
        facts = look_at(store, [keys.job(name) for name in names])
        left = [name for name, fact in zip(names, facts, strict=True) if not fact.kind]
        old = {name for name in left if recordings.is_older(name, YOUNG_S)}
        what = "Its job is not there any more."
        return [found("files-left", Subject(FOLDER, name), what) for name in left if name in old]

    def mend(self, store: Store, name: str) -> list[Finding]:
        """Delete the folder."""
        wrong = self.look(store, [name])
        if wrong:
            recordings.delete(name)
        return wrong


def walk_folders(page: int = 500) -> Iterator[list[str]]:
    """The names of all folders with files of jobs, page by page."""
    names = _folders()
    while found := list(islice(names, page)):
        yield found


def _folders() -> Iterator[str]:
    base = getattr(default_storage, "base_location", None)
    if base is None:
        yield from recordings.list_jobs()
    elif (folder := Path(base) / "jobs").is_dir():
        with os.scandir(folder) as entries:
            yield from (entry.name for entry in entries if entry.is_dir())


def _with_files(store: Store, names: Sequence[str]) -> list[str]:
    """Those jobs that need files; most have ended and need none."""
    raws = store.read(*map(job_cell, names)) if names else []
    jobs = [decoded_job(raw) for raw in raws]
    return [
        name
        for name, job in zip(names, jobs, strict=True)
        if job and (not job.has_ended or _needs_transcript(job))
    ]


def _missing(seen: JobSeen) -> Iterator[Fault]:
    job = seen.job
    if job is None:
        return
    if job.status in BEFORE_CHUNKS and not job.total_chunks:
        if not recordings.exists(job.source):
            yield "recording-lost", f"{job.source} is not in storage."
    elif job.status is JobStatus.PROCESSING:
        for chunk in seen.chunks or ():
            is_open = chunk.status in (ChunkStatus.WAITING, ChunkStatus.RUNNING)
            if is_open and not recordings.exists(recordings.chunk_name(job.job_id, chunk.index)):
                yield "sound-lost", f"The sound of chunk {chunk.index} is not in storage."
                return
    elif _needs_transcript(job) and not recordings.exists(recordings.transcript_name(job.job_id)):
        yield "transcript-lost", "The record leaves the text to storage, and it is not there."


def _needs_transcript(job: Job) -> bool:
    is_long = job.result is not None and job.result.text is None
    return job.status is JobStatus.COMPLETED and is_long


def _treat(store: Store, job: Job, code: str) -> Draft:
    at = store.now()
    draft = Draft(keeping(), at)
    if code == "sound-lost" and recordings.exists(job.source):
        change = repairs.start_over(job, "the sound of a chunk was lost", at=at)
        draft.delete(keys.chunks(job.job_id), keys.results(job.job_id))
    else:
        error = f"{job.source or 'the recording'} is not in storage any more"
        change = end_job(job, JobStatus.FAILED, error, at=at)
    draft.job(job, change.job)
    draft.events(change.events)
    for index in range(job.total_chunks):
        draft.drop_chunk_name(chunk_id(job.job_id, index), job.lane)
    return draft
