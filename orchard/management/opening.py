"""How a process gets hold of the state engine at its start, or ends with one line."""

from __future__ import annotations

from django.core.management.base import CommandError

from orchard.services import EngineAway, get_engine


def open_engine() -> None:
    """Open the state engine; one that is elsewhere may be away.

    Raises:
        CommandError: an engine of our own does not start, or stands still for too long.
    """
    try:
        get_engine()
    except EngineAway as away:
        raise CommandError(f"the state engine does not start: {away}") from None
