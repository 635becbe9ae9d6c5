"""Addresses of the page of schedules and of its buttons."""

from __future__ import annotations

from django.urls import URLPattern, path

from orchard.web import schedule_actions as actions
from orchard.web import schedules

_ONE = "ui/schedules/<str:schedule_id>"

urlpatterns: list[URLPattern] = [
    path("ui/schedules/", schedules.schedules, name="schedules-page"),
    path("ui/schedules/add", actions.add, name="schedule-add"),
    path(f"{_ONE}/pause", actions.pause, name="schedule-pause"),
    path(f"{_ONE}/resume", actions.resume, name="schedule-resume"),
    path(f"{_ONE}/run", actions.hand_in, name="schedule-run"),
    path(f"{_ONE}/delete", actions.delete, name="schedule-delete"),
]
