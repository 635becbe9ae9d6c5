"""What every page says while this process works without the engine."""

from __future__ import annotations

from django import template

from orchard.fallback.starting import Standing, standing

register = template.Library()


@register.simple_tag
def fallback_notice() -> Standing | None:
    """The fallback that this process works in, if it does."""
    return standing()
