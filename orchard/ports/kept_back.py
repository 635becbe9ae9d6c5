"""What a fallback has saved and nobody has merged yet, in the data folder."""

from __future__ import annotations

from pathlib import Path

from orchard.conf import get_conf

STATE, JOBS = "state.json", "jobs.json"


def folder() -> Path:
    """Where fallbacks save, one folder each."""
    return get_conf().data_dir / "fallback"


def waiting() -> list[Path]:
    """The folders that wait to be merged, the oldest first."""
    if not folder().is_dir():
        return []
    return sorted(path for path in folder().iterdir() if (path / JOBS).is_file())
