"""The site's logbook: one for all of a process's threads."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.conf import settings

from orchard.conf import get_conf
from orchard.logbook.searching import Reader
from orchard.logbook.writing import Limits, Writer


def get_reader() -> Reader:
    """Searches the site's log database."""
    return Reader(settings.LOG_DATABASE, _limits().max_age_ms)


def get_writer() -> Writer:
    """Writes into the site's log database."""
    return _writer(settings.LOG_DATABASE)


@cache
def _writer(path: Path) -> Writer:
    return Writer(path, _limits())


def _limits() -> Limits:
    conf = get_conf()
    return Limits(conf.log_max_age_days, conf.log_max_bytes)
