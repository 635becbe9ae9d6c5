"""Uploads: a recording goes into storage, and a job begins."""

from __future__ import annotations

from typing import Any

from django.core.files import File

from orchard.domain.errors import InvalidInput
from orchard.domain.jobs import Job, Wishes, check_filename
from orchard.domain.orders import AUDIO, PLAIN, Order
from orchard.ports import recordings
from orchard.services import preferences, quotas, submissions
from orchard.services.accepting import check_acceptable
from orchard.services.engine import run


def submit(
    upload: File[Any], *, owner: str, use_purifier: bool | None = None, language: str = "",
    idempotency_key: str = "", came_by: str = "", wishes: Wishes | None = None,
    order: Order = PLAIN,
) -> tuple[Job, bool]:  # fmt: skip
    """Store a recording and create its job; false beside it when the key was used before.

    An upload on the storage's own disk is moved, not copied. What the sound is
    worth shows when the pipeline decodes it. Should the engine fall silent in
    the middle, the stored file stays: whether the job was created is unknown
    then, and clearing up removes files that no job stands behind.

    Raises:
        InvalidInput: the file is empty, has no name, or is none for its type of jobs.
        QuotaExceeded: its owner has as much as may be already.
        EngineAway: the engine cannot be reached; asked before anything is stored.
    """
    filename = check_filename(upload.name or "")
    if not upload.size:
        raise InvalidInput("file", "the file is empty")
    check_acceptable(order, upload, filename)
    if order.job_type != AUDIO:
        use_purifier = False
    run(quotas.check(owner, idempotency_key))
    if use_purifier is None:
        use_purifier = run(preferences.get_use_purifier(owner))
    job_id = run(submissions.name_job(owner, idempotency_key))
    source = recordings.source_name(job_id, filename)
    size = upload.size
    recordings.save(source, upload)
    job = run(
        submissions.create(
            filename, source, size, owner=owner, use_purifier=use_purifier, language=language,
            job_id=job_id, idempotency_key=idempotency_key, came_by=came_by, wishes=wishes,
            order=order,
        )
    )  # fmt: skip
    if job.job_id != job_id:
        recordings.delete(job_id)
    return job, job.job_id == job_id
