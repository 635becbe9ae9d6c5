"""The buttons of the pages: each does one thing, says so, and leads back."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext as _

from orchard.services import fleet, run, submissions
from orchard.web.access import action


@action("job.cancel", "job_id", ask="cancel_job")
def cancel_job(request: HttpRequest, job_id: str) -> str:
    """End a job by hand."""
    run(submissions.cancel(job_id))
    return _("The job was cancelled.")


@action("job.retry", "job_id")
def retry_job(request: HttpRequest, job_id: str) -> str:
    """Start a failed job again."""
    run(submissions.retry(job_id))
    return _("The job was started again; only what is missing will be done.")


@action("job.pin", "job_id")
def pin_job(request: HttpRequest, job_id: str) -> str:
    """Keep a finished job, or let it expire again."""
    pinned = request.POST.get("pinned") == "1"
    run(submissions.pin(job_id, pinned))
    return _("The job is kept.") if pinned else _("The job will expire.")


@action("job.delete", "job_id", then="/ui/jobs/", ask="delete_job")
def delete_job(request: HttpRequest, job_id: str) -> str:
    """Delete a job with its sound and transcript."""
    run(submissions.remove(job_id))
    return _("The job was deleted.")


@action("worker.drain", "worker_id")
def drain_worker(request: HttpRequest, worker_id: str) -> str:
    """Let a worker finish what it has, and give it no more."""
    run(fleet.drain(worker_id))
    return _("The worker finishes what it has and gets no more.")


@action("worker.pause", "worker_id")
def pause_worker(request: HttpRequest, worker_id: str) -> str:
    """Give a worker no more work until it is resumed."""
    run(fleet.pause(worker_id))
    return _("The worker pauses.")


@action("worker.resume", "worker_id")
def resume_worker(request: HttpRequest, worker_id: str) -> str:
    """Give a drained or paused worker work again."""
    run(fleet.resume(worker_id))
    return _("The worker takes work again.")


@action("worker.remove", "worker_id", then="/ui/workers/", ask="remove_worker")
def remove_worker(request: HttpRequest, worker_id: str) -> str:
    """Take a worker out of the fleet; what it holds returns to the queue."""
    run(fleet.remove(worker_id, "removed"))
    return _("The worker was removed; what it held returned to the queue.")
