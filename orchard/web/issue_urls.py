"""Addresses of the pages on issues."""

from __future__ import annotations

from django.urls import URLPattern, path

from orchard.web import issue_actions, issues, labels, locks, processes

urlpatterns: list[URLPattern] = [
    path("ui/issues/", issues.issues, name="issues-page"),
    path("ui/issues/find", issues.find, name="issue-find"),
    path("ui/issues/repair", issue_actions.repair_orphans, name="issues-repair"),
    path("ui/issues/<int:number>/", issues.issue, name="issue-page"),
    path("ui/issues/<int:number>/repair", issue_actions.repair_one, name="issue-repair"),
    path("ui/issues/<int:number>/check-in", issue_actions.check_in, name="issue-check-in"),
    path("ui/issues/<int:number>/status", issue_actions.set_status, name="issue-status"),
    path("ui/issues/<int:number>/reset", issue_actions.reset, name="issue-reset"),
    path("ui/processes/", processes.processes, name="processes-page"),
    path("ui/processes/clean-zombies", processes.clean_zombies, name="zombies-clean"),
    path("ui/processes/<path:process_id>/clean-up", processes.clean_up, name="process-clean"),
    path("ui/locks/", locks.locks, name="locks-page"),
    path("ui/locks/<path:name>/release", locks.release, name="lock-release"),
    path("ui/labels/", labels.labels, name="labels-page"),
    path("ui/labels/retry-failed", labels.retry_failed, name="labels-retry"),
    path("ui/labels/<path:request_id>/retry", labels.retry, name="label-retry"),
]
