"""Addresses of the pages on log lines."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
