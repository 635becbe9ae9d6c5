"""Addresses of the state side's API, below the site's ``/api/v1/``."""

from __future__ import annotations

from django.urls import path

from statecore.api import (
    checkouts,
    entries,
    issues,
    labels,
    locks,
    namespaces,
    orphans,
    processes,
    watching,
)

of_issues = [
    path("issues", issues.Issues.as_view(), name="issues"),
    path("issues/statistics", issues.Statistics.as_view(), name="issue-statistics"),
    path("issues/orphans", orphans.Orphans.as_view(), name="orphans"),
    path("issues/<str:number>", issues.OneIssue.as_view(), name="issue"),
    path("issues/<str:number>/history", issues.History.as_view(), name="issue-history"),
    path("issues/<str:number>/checkout", checkouts.Checkout.as_view(), name="issue-checkout"),
    path("issues/<str:number>/heartbeat", checkouts.Heartbeat.as_view(), name="issue-heartbeat"),
    path("issues/<str:number>/checkin", checkouts.Checkin.as_view(), name="issue-checkin"),
]

of_processes = [
    path("processes", processes.Processes.as_view(), name="processes"),
    path("processes/zombies", processes.Zombies.as_view(), name="zombies"),
    path("processes/<str:process_id>", processes.OneProcess.as_view(), name="process"),
    path(
        "processes/<str:process_id>/heartbeat",
        processes.Heartbeat.as_view(),
        name="process-heartbeat",
    ),
]

of_locks = [
    path("locks", locks.Locks.as_view(), name="locks"),
    path("locks/<str:name>", locks.OneLock.as_view(), name="lock"),
]

of_labels = [
    path("labels", labels.Labels.as_view(), name="labels"),
    path("labels/retry", labels.RetryAll.as_view(), name="labels-retry"),
    path("labels/<str:request_id>", labels.OneLabel.as_view(), name="label"),
    path("labels/<str:request_id>/retry", labels.Retry.as_view(), name="label-retry"),
]

of_state = [
    path("state", namespaces.Namespaces.as_view(), name="namespaces"),
    path("state/<str:namespace>", namespaces.OneNamespace.as_view(), name="namespace"),
    path("state/<str:namespace>/watch", watching.Watch.as_view(), name="watch"),
    path("state/<str:namespace>/<path:key>", entries.OneEntry.as_view(), name="entry"),
]

urlpatterns = [*of_issues, *of_processes, *of_locks, *of_labels, *of_state]
