"""Addresses of the pages."""

from __future__ import annotations

from django.contrib.auth import views as auth
from django.urls import path

from orchard.web import (
    access_urls,
    actions,
    cleanup_urls,
    editing,
    fragments,
    issue_urls,
    job_list,
    listening,
    log_urls,
    nodes,
    pages,
    schedule_urls,
    searching,
    signing_in,
    state_urls,
    system_urls,
    webhook_urls,
    worker_list,
)

urlpatterns = [
    path("", pages.overview, name="overview"),
    path("sign-in/<str:secret>", signing_in.use_link, name="sign-in"),
    path("login", auth.LoginView.as_view(template_name="orchard/login.html"), name="login"),
    path("logout", auth.LogoutView.as_view(), name="logout"),
    path("ui/jobs/", job_list.jobs, name="jobs-page"),
    path("ui/jobs/rows", job_list.job_rows, name="job-rows"),
    path("ui/jobs/<str:job_id>/", pages.job, name="job-page"),
    path("ui/jobs/<str:job_id>/changes", fragments.job_changes, name="job-changes"),
    path("ui/jobs/<str:job_id>/audio", listening.job_audio, name="job-audio"),
    path("ui/jobs/<str:job_id>/edit", editing.edit_line, name="line-edit"),
    path("ui/jobs/<str:job_id>/cancel", actions.cancel_job, name="job-cancel"),
    path("ui/jobs/<str:job_id>/retry", actions.retry_job, name="job-retry"),
    path("ui/jobs/<str:job_id>/pin", actions.pin_job, name="job-pin"),
    path("ui/jobs/<str:job_id>/delete", actions.delete_job, name="job-delete"),
    path("ui/transcripts/", searching.search, name="transcripts-page"),
    path("ui/workers/", worker_list.workers, name="workers-page"),
    path("ui/workers/list", worker_list.cards, name="workers-list"),
    path("ui/workers/add", nodes.add_node, name="worker-add"),
    path("ui/workers/<str:worker_id>/", pages.worker, name="worker-page"),
    path("ui/workers/<str:worker_id>/drain", actions.drain_worker, name="worker-drain"),
    path("ui/workers/<str:worker_id>/pause", actions.pause_worker, name="worker-pause"),
    path("ui/workers/<str:worker_id>/resume", actions.resume_worker, name="worker-resume"),
    path("ui/workers/<str:worker_id>/remove", actions.remove_worker, name="worker-remove"),
    path("ui/charts", fragments.charts, name="charts"),
    path("ui/numbers", fragments.numbers, name="numbers"),
    *schedule_urls.urlpatterns,
    *issue_urls.urlpatterns,
    *state_urls.urlpatterns,
    *log_urls.urlpatterns,
    *system_urls.urlpatterns,
    *cleanup_urls.urlpatterns,
    *access_urls.urlpatterns,
    *webhook_urls.urlpatterns,
]
