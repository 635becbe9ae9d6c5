"""Addresses of the cleanup pages."""

from __future__ import annotations

from django.urls import path

from orchard.web import cleanup

urlpatterns = [
    path("ui/cleanup/", cleanup.choose, name="cleanup-page"),
    path("ui/cleanup/kinds", cleanup.kinds, name="cleanup-kinds"),
    path("ui/cleanup/preview", cleanup.preview, name="cleanup-preview"),
    path("ui/cleanup/<int:pk>/", cleanup.show_run, name="cleanup-run"),
    path("ui/cleanup/<int:pk>/step", cleanup.step, name="cleanup-step"),
    path("ui/cleanup/<int:pk>/<str:to>", cleanup.move, name="cleanup-move"),
]
