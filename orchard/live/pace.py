"""The pace: how often sockets are told what is new, so that telling never takes all the time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

FRAME_S, FRAME_MAX_S = 0.1, 0.25
"""Least time between two frames to one socket: ten a second are all that an eye can use."""
REST = 3
"""Telling takes a third of a processor at most: with many sockets there are fewer beats."""


class Pace:
    """Calls for a beat when one is wanted: at once after a quiet time, otherwise in time."""

    def __init__(self, beat: Callable[[], None]) -> None:
        self._beat = beat
        self._due: asyncio.TimerHandle | None = None
        self._rests_until = 0.0

    def want(self) -> None:
        """There is something to tell."""
        if self._due is not None:
            return
        loop = asyncio.get_running_loop()
        wait_s = self._rests_until - loop.time()
        if wait_s > 0:
            self._due = loop.call_later(wait_s, self._begin)
        else:
            self._begin()

    def cancel(self) -> None:
        """There is nothing to tell any more."""
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        begun, worked_s = loop.time(), time.thread_time()
        self._due, self._rests_until = None, begun + FRAME_S
        self._beat()
        # Comes after all that those have to do who were told, and after the writing of it.
        loop.call_soon(loop.call_soon, self._note_work, begun, worked_s)

    def _note_work(self, begun: float, worked_s: float) -> None:
        # Processor time, not time: on a busy machine fewer beats would only make more delay.
        took_s = time.thread_time() - worked_s
        self._rests_until = begun + min(max(FRAME_S, REST * took_s), FRAME_MAX_S)
