"""Rows of the catalogue: made of the engine's records, as often as one likes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchard.catalogue.models import CataloguedJob
from orchard.catalogue.texts import fold_job, marks_of
from orchard.domain.jobs import Job
from orchard.repository import epoch_ms

_ID_MAX = 64
_NUMBER_MAX = 2**63 - 1
_CHANGING = ("folded", "marks", "status", "updated_ms", "bytes", "duration_ms", "created_ms")


def row_of(job: Job) -> CataloguedJob:
    """What the catalogue keeps of a job."""
    folded = fold_job(job.filename, job.job_id)
    return CataloguedJob(
        job_id=job.job_id, folded=folded, marks=marks_of(folded), status=str(job.status),
        created_ms=epoch_ms(job.created_at), updated_ms=epoch_ms(job.updated_at),
        bytes=min(job.size, _NUMBER_MAX), duration_ms=min(job.duration_ms, _NUMBER_MAX),
    )  # fmt: skip


def put(jobs: Iterable[Job], *, using: str = "default") -> None:
    """Add these jobs, or bring their rows up to date."""
    rows = [row_of(job) for job in jobs if len(job.job_id) <= _ID_MAX]
    CataloguedJob.objects.using(using).bulk_create(
        rows, update_conflicts=True, unique_fields=("job_id",), update_fields=_CHANGING
    )


def drop(job_ids: Sequence[str], *, using: str = "default") -> None:
    """Forget these jobs; of those that are not there, nothing is to be forgotten."""
    CataloguedJob.objects.using(using).filter(job_id__in=job_ids).delete()
