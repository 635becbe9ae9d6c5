"""Addresses of the API: the contract's old paths, ``/api/v1/``, and OpenAI's ``/v1/``."""

from __future__ import annotations

from django.urls import include, path, re_path

from orchard.api import (
    audit,  # noqa: F401 - it listens from here on
    chunks,
    contract,
    events,
    exchange,
    exporting,
    jobs,
    logs,
    metrics,
    openai,
    openai_errors,
    outputs,
    preferences,
    schedules,
    schema,
    transcript_search,
    transcripts,
    tus,
    webhooks,
    whoami,
    workers,
)
from orchard.api.errors import not_found
from statecore.api.urls import urlpatterns as state_side

old_paths = [
    path("submit", contract.Submit.as_view(), name="old-submit"),
    path("jobs", contract.Jobs.as_view(), name="old-jobs"),
    path("jobs/<str:job_id>", contract.Job.as_view(), name="old-job"),
    path("workers", contract.Workers.as_view(), name="old-workers"),
    path("workers/add", contract.AddWorker.as_view(), name="old-add-worker"),
    path("workers/remove", contract.RemoveWorker.as_view(), name="old-remove-worker"),
    path("stats", contract.Stats.as_view(), name="old-stats"),
    path("preferences/purifier", contract.Purifier.as_view(), name="old-purifier"),
]

of_workers = [
    path("workers", workers.Workers.as_view(), name="workers"),
    path("workers/<str:worker_id>", workers.OneWorker.as_view(), name="worker"),
    path("workers/<str:worker_id>/heartbeat", workers.Heartbeat.as_view(), name="heartbeat"),
    path("workers/<str:worker_id>/claim", workers.Claim.as_view(), name="claim"),
    path("workers/<str:worker_id>/exchange", exchange.Exchange.as_view(), name="exchange"),
    path("workers/<str:worker_id>/drain", workers.Drain.as_view(), name="drain"),
    path("workers/<str:worker_id>/pause", workers.Pause.as_view(), name="pause"),
    path("workers/<str:worker_id>/resume", workers.Resume.as_view(), name="resume"),
    path("chunks/<str:name>/progress", chunks.Progress.as_view(), name="chunk-progress"),
    path("chunks/<str:name>/complete", chunks.Complete.as_view(), name="chunk-complete"),
    path("chunks/<str:name>/fail", chunks.Fail.as_view(), name="chunk-fail"),
    path("chunks/<str:name>/audio", chunks.Audio.as_view(), name="chunk-audio"),
]

of_jobs = [
    path("jobs", jobs.Jobs.as_view(), name="jobs"),
    path("jobs/export", exporting.Export.as_view(), name="jobs-export"),
    path("jobs/<str:job_id>", jobs.OneJob.as_view(), name="job"),
    path("jobs/<str:job_id>/cancel", jobs.Cancel.as_view(), name="job-cancel"),
    path("jobs/<str:job_id>/retry", jobs.Retry.as_view(), name="job-retry"),
    path("jobs/<str:job_id>/output", outputs.Output.as_view(), name="job-output"),
    path("jobs/<str:job_id>/pin", jobs.Pin.as_view(), name="job-pin"),
    path(
        "jobs/<str:job_id>/transcript.<str:form>",
        transcripts.Transcript.as_view(),
        name="transcript",
    ),
    path("transcripts/search", transcript_search.Search.as_view(), name="transcript-search"),
    path("whoami", whoami.Whoami.as_view(), name="whoami"),
    path("events", events.Events.as_view(), name="events"),
    path("preferences/purifier", preferences.Purifier.as_view(), name="purifier"),
]

of_uploads = [
    path("uploads/tus", tus.Uploads.as_view(), name="uploads"),
    path("uploads/tus/<str:upload_id>", tus.OneUpload.as_view(), name="upload"),
]

_SCHEDULE = "schedules/<str:schedule_id>"
of_schedules = [
    path("schedules", schedules.Schedules.as_view(), name="schedules"),
    path(_SCHEDULE, schedules.OneSchedule.as_view(), name="schedule"),
    path(f"{_SCHEDULE}/run", schedules.RunNow.as_view(), name="schedule-run"),
]

of_logs = [path("logs", logs.Logs.as_view(), name="logs")]

_WEBHOOK = "webhooks/<str:webhook_id>"
of_webhooks = [
    path("webhooks", webhooks.Webhooks.as_view(), name="webhooks"),
    path(_WEBHOOK, webhooks.OneWebhook.as_view(), name="webhook"),
    path(f"{_WEBHOOK}/rotate", webhooks.Rotate.as_view(), name="webhook-rotate"),
    path(f"{_WEBHOOK}/test", webhooks.Test.as_view(), name="webhook-test"),
    path(f"{_WEBHOOK}/deliveries", webhooks.Deliveries.as_view(), name="deliveries"),
    path(f"{_WEBHOOK}/replay", webhooks.ReplayFailed.as_view(), name="replay-failed"),
    path(
        f"{_WEBHOOK}/deliveries/<int:delivery_id>/replay",
        webhooks.Replay.as_view(),
        name="replay",
    ),
]

of_openai = [
    path("audio/transcriptions", openai.Transcriptions.as_view(), name="openai-transcriptions"),
    path("models", openai.Models.as_view(), name="openai-models"),
    path("models/<path:model>", openai.OneModel.as_view(), name="openai-model"),
]

documents = [
    path("schema", schema.Schema.as_view(), name="schema"),
    path("docs", schema.Docs.as_view(), name="docs"),
]

urlpatterns = [
    *old_paths,
    path("metrics", metrics.Metrics.as_view(), name="metrics"),
    path(
        "api/v1/",
        include(
            (
                [
                    *of_workers,
                    *of_jobs,
                    *of_uploads,
                    *of_schedules,
                    *of_logs,
                    *of_webhooks,
                    *state_side,
                    *documents,
                ],
                "api",
            )
        ),
    ),
    path("v1/", include(of_openai)),
    re_path(r"^api(/|$)", not_found),
    re_path(r"^v1(/|$)", openai_errors.not_found),
]
