"""Traces: what becomes of a recording in all processes, told to a collector; off unless asked for.

Nothing of OpenTelemetry is imported here: a process without traces does not load it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchard.tracing.spans import Spans

log = logging.getLogger("orchard.tracing")

_spans: Spans | None = None


def get_spans() -> Spans | None:
    """The spans of this process, or ``None`` when it has no traces."""
    return _spans


@contextmanager
def running(role: str, address: str) -> Iterator[None]:
    """Tell a collector of the work of this process meanwhile; an empty address is: do not.

    ``role`` is what the process is called: ``web``, ``pipeline``, ``dispatch`` or ``agent``.
    Without the packages of ``requirements-tracing.txt`` it works on, and says so once.
    """
    global _spans
    spans = _open(role, address) if address else None
    _spans = spans
    try:
        yield
    finally:
        _spans = None
        if spans is not None:
            spans.close()


def _open(role: str, address: str) -> Spans | None:
    try:
        from orchard.tracing.spans import Spans
    except ModuleNotFoundError as missing:
        log.warning("no traces: %s; pip install -r requirements-tracing.txt", missing)
        return None
    return Spans(role, address)
