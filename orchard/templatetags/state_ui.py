"""Filters of the pages on state, events and the engine."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def plain(number: int) -> str:
    """A whole number without marks between its digits, as programs write it."""
    return str(number)
