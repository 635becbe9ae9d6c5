"""Addresses of the pages on issues."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
