"""Addresses of the pages on state."""

from __future__ import annotations

from django.urls import URLPattern, path

from orchard.web import state, state_edit

urlpatterns: list[URLPattern] = [
    path("ui/state/", state.namespaces, name="state-page"),
    path("ui/state/new", state.new_entry, name="entry-new"),
    path("ui/state/reset-migration", state_edit.reset_migration, name="migration-reset"),
    path("ui/state/<str:namespace>/", state.namespace, name="namespace-page"),
    path("ui/state/<str:namespace>/entry", state_edit.entry, name="entry-page"),
    path("ui/state/<str:namespace>/delete", state_edit.delete, name="entry-delete"),
    path("ui/state/<str:namespace>/download", state.download, name="entry-download"),
]
