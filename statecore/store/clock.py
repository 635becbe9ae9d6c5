"""Clocks: one for what is persisted, one for durations, named by purpose.

``now()`` is the server's wall clock, an aware UTC datetime in whole
milliseconds. ``monotonic()`` only measures how long something took. Both stand
on :func:`time.monotonic`, so a host clock that jumps changes neither.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def from_ms(ms: int) -> datetime:
    """The aware UTC time ``ms`` milliseconds after the epoch."""
    return EPOCH + timedelta(milliseconds=ms)


class Clock:
    """This process's wall clock, read once and carried on by the monotonic clock."""

    def __init__(self) -> None:
        self._offset_us = time.time_ns() // 1000 - self._monotonic_us()

    def now(self) -> datetime:
        """The time to persist: aware UTC, rounded down to milliseconds."""
        return from_ms(self.now_ms())

    def now_ms(self) -> int:
        """The time of :meth:`now` in milliseconds since the epoch."""
        return (self._offset_us + self._monotonic_us()) // 1000

    def monotonic(self) -> float:
        """Seconds that only grow; for durations, never to be persisted."""
        return time.monotonic()

    @staticmethod
    def _monotonic_us() -> int:
        return time.monotonic_ns() // 1000


class ManualClock(Clock):
    """A clock that moves only when told to: simulations and tests advance it."""

    def __init__(self, start: datetime = datetime(2025, 6, 23, 12, tzinfo=UTC)) -> None:
        self._now = start

    def now_ms(self) -> int:
        """The time set, in milliseconds since the epoch."""
        return (self._now - EPOCH) // timedelta(milliseconds=1)

    def monotonic(self) -> float:
        """Seconds since the epoch of the time set."""
        return (self._now - EPOCH).total_seconds()

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` go by."""
        self._now += timedelta(seconds=seconds)


class _Sample(NamedTuple):
    """An offset to the server's clock; it is wrong by at most ``error_us``."""

    offset_us: int
    error_us: int
    taken_us: int


class MeasuredClock(Clock):
    """A server's clock, known by the offset that its answers show.

    Every answer that carries the server's time is a measurement, wrong by at
    most half its round trip. The best one of the last seconds counts, unless a
    new one contradicts it: then the server's clock has moved.
    """

    KEEP_BEST_US = 10_000_000
    FRESH_US = 30_000_000
    AGEING_US = 1_000_000

    def __init__(self, monotonic_us: Callable[[], int] | None = None) -> None:
        self._sample: _Sample | None = None
        self._learned_us = -(1 << 62)
        self._lock = threading.Lock()
        self.monotonic_us = monotonic_us or self._monotonic_us

    @property
    def is_fresh(self) -> bool:
        """Whether the server's time was learned lately enough to be relied on."""
        return self.monotonic_us() - self._learned_us < self.FRESH_US

    @property
    def is_ageing(self) -> bool:
        """Whether the next answer should better bring the server's time."""
        return self.monotonic_us() - self._learned_us > self.AGEING_US

    def learn(self, server_us: int, sent_us: int, received_us: int) -> None:
        """Take the server's time from an answer, with the monotonic times around it."""
        error_us = (received_us - sent_us) // 2
        new = _Sample(server_us - (sent_us + error_us), error_us, received_us)
        with self._lock:
            self._learned_us = received_us
            if self._is_better(new):
                self._sample = new

    def now_ms(self) -> int:
        """The server's time in milliseconds; the host's until it was first learned."""
        sample = self._sample
        if sample is None:
            return time.time_ns() // 1_000_000
        return (sample.offset_us + self.monotonic_us()) // 1000

    def _is_better(self, new: _Sample) -> bool:
        old = self._sample
        if old is None or new.error_us <= old.error_us:
            return True
        contradicts = abs(new.offset_us - old.offset_us) > new.error_us + old.error_us + 1000
        return contradicts or new.taken_us - old.taken_us > self.KEEP_BEST_US
