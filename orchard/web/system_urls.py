"""Addresses of the pages on the system."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
