"""The pages. Each takes the cursor of now first, then its snapshot, so that nothing is missed."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from orchard.conf import get_conf
from orchard.domain.errors import UnknownJob
from orchard.domain.workers import Worker
from orchard.services import accepting, counts, edits, lacks, preferences, queries, run, samples
from orchard.services.queries import JobView
from orchard.web import words
from orchard.web.access import may_act, page
from orchard.web.hour_charts import MINUTES, draw_bars, draw_line, per_minute
from orchard.web.lanes import draw_lanes
from orchard.web.shown import (
    ENDED,
    ShownWorker,
    jobs_of,
    show_blocks,
    show_job,
    show_speeds,
    show_worker,
)
from orchard.web.spoken import language_choices, language_name

RECENT = 20
ACTIVE = tuple(name for name in words.JOB_STATES if name not in ENDED)


@page
def overview(request: HttpRequest) -> HttpResponse:
    """Upload, numbers, the latest jobs, and what each worker does."""
    cursor = run(queries.events_end())
    context = (
        numbers()
        | {
            "page": "overview",
            "topic": "fleet",
            "cursor": cursor,
            "jobs": [show_job(view) for view in run(queries.list_jobs(limit=RECENT)).jobs],
            "workers": show_workers(run(queries.list_workers())),
            "use_purifier": run(preferences.get_use_purifier(request.user.get_username())),
            "upload_max_bytes": get_conf().upload_max_bytes,
            "languages": language_choices(),
            "job_types": accepting.list_types(),
            "may_act": may_act(request.user),
        }
        | charts()
    )
    return render(request, "orchard/overview.html", context)


@page
def job(request: HttpRequest, job_id: str) -> HttpResponse:
    """One job: its stages, chunks, workers and transcript."""
    cursor = run(queries.events_end())
    context = job_context(request, job_id)
    context |= {"page": "job", "topic": f"job:{job_id}", "cursor": cursor}
    return render(request, "orchard/job.html", context)


@page
def worker(request: HttpRequest, worker_id: str) -> HttpResponse:
    """One worker: what it holds, how fast it was, and what it says of itself."""
    cursor = run(queries.events_end())
    found = run(queries.get_worker(worker_id))
    shown = show_workers([found])
    context = {
        "page": "worker",
        "topic": "fleet",
        "cursor": cursor,
        "refresh": True,
        "one": shown[0],
        "workers": shown,
        "speeds": show_speeds(found),
        "may_act": may_act(request.user),
    }
    return render(request, "orchard/worker.html", context)


def numbers() -> dict[str, Any]:
    """Counts of workers, queues and jobs; what they cost does not depend on how many."""
    load = run(counts.get_load())
    return {
        "stats": run(counts.get_stats()),
        "load": load,
        "failed_jobs": load.by_status["failed"],
    }


def charts() -> dict[str, Any]:
    """The last hour in pictures."""
    at = run(queries.clock())
    since = round(at.timestamp() * 1000) - MINUTES * 60_000
    minutes = per_minute(run(samples.samples_since(since)), at)
    return {
        "minutes": [one for one in reversed(minutes) if any(one[1:])],
        "done_chart": draw_bars([one.completed for one in minutes]),
        "queue_chart": draw_line([one.waiting for one in minutes]),
        "busy_chart": draw_line([one.busy for one in minutes]),
    }


def show_workers(found: list[Worker]) -> list[ShownWorker]:
    """Workers with the chunks they hold."""
    views = {job_id: view for job_id in jobs_of(found) if (view := _find(job_id))}
    return [show_worker(worker, views) for worker in found]


def job_context(request: HttpRequest, job_id: str) -> dict[str, Any]:
    """What the page of a job shows, and its fragments.

    Raises:
        UnknownJob: there is none of this id.
    """
    view = run(queries.get_job(job_id))
    script = run(queries.get_transcript(job_id))
    shown, code = show_job(view), view.job.language or script.transcript.language
    working = {name for c in view.chunks if c.status == "running" for name in c.worker_ids}
    fleet = run(queries.list_workers()) if working else []
    return {
        "job": shown,
        "lack": words.explain_lack(lack) if (lack := run(lacks.look(view))) else None,
        "waits": lacks.waits(view.job, view.chunks),
        "lanes": draw_lanes(view.chunks, run(queries.clock())),
        "workers": [
            show_worker(worker, {job_id: view}) for worker in fleet if worker.worker_id in working
        ],
        "blocks": show_blocks(view.chunks, script.transcript, run(edits.get_edits(job_id))),
        "is_edited": bool(run(edits.get_edits(job_id))),
        "language": language_name(code) if code else "",
        "is_recognized": not view.job.language,
        "partial": script.partial,
        "has_text": bool(script.transcript.segments),
        "has_ended": view.job.has_ended,
        "may_act": may_act(request.user),
    }


def _find(job_id: str) -> JobView | None:
    try:
        return run(queries.get_job(job_id))
    except UnknownJob:
        return None
