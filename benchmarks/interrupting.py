"""An end before its time: a first signal undoes what was made, and no second one stops that."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(BaseException):
    """Somebody asked the bench to stop; ``signum`` is the signal that said so."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"interrupted by {signal.Signals(signum).name}")
        self.signum = signum


_asked: list[int] = []
"""The signal that came, if one did."""


def stop_if_asked() -> None:
    """Raise :class:`Interrupted` when a signal came whose exception was lost.

    What is raised while Python clears up behind something is told and forgotten; whoever
    measures in a loop looks here, so that it ends nevertheless.
    """
    if _asked:
        raise Interrupted(_asked[0])


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise :class:`Interrupted` at SIGINT and SIGTERM, once."""
    signals = (signal.SIGINT, signal.SIGTERM)

    def stop(signum: int, frame: FrameType | None) -> None:
        for one in signals:
            signal.signal(one, signal.SIG_IGN)
        _asked.append(signum)
        raise Interrupted(signum)

    before = {one: signal.signal(one, stop) for one in signals}
    try:
        yield
    finally:
        _asked.clear()
        for one, handler in before.items():
            signal.signal(one, handler)
