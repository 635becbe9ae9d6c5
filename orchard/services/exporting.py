"""Transcripts of many jobs as one zip, made while it is sent: nothing is kept in between."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath

from zipstream import ZIP_DEFLATED, ZipStream  # type: ignore[import-untyped]

from orchard.domain.errors import OrchardError
from orchard.domain.jobs import Job
from orchard.domain.lifecycle import JobStatus
from orchard.services import queries
from orchard.services.engine import run
from orchard.services.queries import TranscriptView

MOST_JOBS = 1_000
"""Most jobs of one export."""
LEFT_OUT = "left-out.txt"
"""The file of an export that says what is not in it, and why."""
_STEM_CHARS = 120
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")

Write = Callable[[TranscriptView], str]
"""Makes a file of a transcript."""


def export(jobs: Iterable[Job], form: str, write: Write) -> Iterator[bytes]:
    """The zip, piece by piece: a file for each job that is completed, in the order given.

    What ended otherwise, or went away meanwhile, is named in a file of its own.
    """
    archive = ZipStream(compress_type=ZIP_DEFLATED)
    names = Names(form)
    left_out: list[str] = []
    for job in jobs:
        try:
            content = _content(job, write)
        except OrchardError as fault:
            left_out.append(f"{job.job_id}\t{job.filename}\t{fault}\n")
            continue
        archive.add(content, names.name_of(job))
        yield from archive.file()
    if left_out:
        archive.add("".join(left_out).encode(), LEFT_OUT)
        yield from archive.file()
    yield from archive.finalize()


class Names:
    """Names of files that every system can have side by side."""

    def __init__(self, form: str) -> None:
        self._form = form
        self._taken = {LEFT_OUT}

    def name_of(self, job: Job) -> str:
        """The name for a job's file; two of one name are told apart by the job's id."""
        stem = safe_stem(job.filename)
        name = f"{stem}.{self._form}"
        if name.casefold() in self._taken:
            name = f"{stem}-{job.job_id}.{self._form}"
        self._taken.add(name.casefold())
        return name


def safe_stem(filename: str) -> str:
    """A recording's name without its ending, and without what some system does not allow."""
    stem = re.sub(r'[<>:"/\\|?*\x00-\x1f\x7f]', "_", PurePath(filename).stem)[:_STEM_CHARS]
    stem = stem.strip(" .") or "recording"
    return f"_{stem}" if _RESERVED.fullmatch(stem) else stem


def _content(job: Job, write: Write) -> bytes:
    """The file of a job.

    Raises:
        OrchardError: there is none.
    """
    if job.status is not JobStatus.COMPLETED:
        raise OrchardError(f"the job is {job.status}")
    return write(run(queries.get_transcript(job.job_id))).encode()
