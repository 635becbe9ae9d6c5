"""Addresses of the pages on log lines."""

from __future__ import annotations

from django.urls import URLPattern, path

from orchard.web import logs

urlpatterns: list[URLPattern] = [
    path("ui/logs/", logs.logs, name="logs-page"),
    path("ui/logs/new", logs.new_lines, name="logs-new"),
]
