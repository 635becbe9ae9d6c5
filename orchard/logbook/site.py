"""The site's logbook: one for all of a process's threads."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.conf import settings

from orchard.conf import get_conf
from orchard.logbook.contract import Limits, LogReader, LogWriter
from orchard.logbook.places import open_reader, open_writer


def get_reader() -> LogReader:
    """Searches the site's log database."""
    return open_reader(settings.LOG_DATABASE, _limits())


def get_writer() -> LogWriter:
    """Writes into the site's log database."""
    place = settings.LOG_DATABASE
    return _writer(place if isinstance(place, Path) else tuple(place.items()))


@cache
def _writer(place: Path | tuple[tuple[str, str], ...]) -> LogWriter:
    return open_writer(place if isinstance(place, Path) else dict(place), _limits())


def _limits() -> Limits:
    conf = get_conf()
    return Limits(conf.log_max_age_days, conf.log_max_bytes)
