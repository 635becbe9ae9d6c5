"""Addresses of the pages on the system."""

from __future__ import annotations

from django.urls import URLPattern, path

from orchard.web import engine, events

urlpatterns: list[URLPattern] = [
    path("ui/events/", events.events, name="events-page"),
    path("ui/events/new", events.new_events, name="events-new"),
    path("ui/engine/", engine.engine, name="engine-page"),
]
