"""The command line. ``main`` is the program ``orchard``."""

from __future__ import annotations

from orchard_client.cli.app import main

__all__ = ["main"]
