"""The wish to stop: said by a signal, heard by every thread of a process."""

from __future__ import annotations

import contextlib
import queue
import signal
import threading
from collections.abc import Iterable

STOPS = (signal.SIGTERM, signal.SIGINT)


class StopEvent(threading.Event):
    """An event that a signal handler may set.

    That of ``threading`` takes a lock to be set. A handler runs in the middle of what the main
    thread does: when that is about to wait for the same event, it has the lock, and the process
    never ends. A ``SimpleQueue`` may be put to at any moment (Python, library reference, queue).
    """

    def __init__(self) -> None:
        super().__init__()
        self._is_set = False
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()

    def is_set(self) -> bool:
        """Whether it was set."""
        return self._is_set

    def set(self) -> None:
        """Set it, and wake all who wait."""
        self._is_set = True
        self._bell.put(None)

    def clear(self) -> None:
        """Refused: who was told to stop stops."""
        raise NotImplementedError("a wish to stop cannot be taken back")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, so many seconds at most; whether it is."""
        if not self._is_set:
            with contextlib.suppress(queue.Empty):
                self._bell.get(timeout=timeout)
                self._bell.put(None)  # for the next who waits
        return self._is_set


def stop_on_signals(signals: Iterable[signal.Signals] = STOPS) -> StopEvent:
    """An event that these signals set from now on."""
    stopping = StopEvent()
    for signum in signals:
        signal.signal(signum, lambda *_: stopping.set())
    return stopping
