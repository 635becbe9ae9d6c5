"""The wish to stop: whoever waits hears it, whenever the signal comes."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from orchard.stopping import StopEvent, stop_on_signals


@pytest.fixture
def stopping():
    before = signal.getsignal(signal.SIGTERM)
    yield stop_on_signals([signal.SIGTERM])
    signal.signal(signal.SIGTERM, before)


def wait_with_a_signal(event: threading.Event, at: int) -> bool:
    """Wait for an event; the signal comes at this line of what the wait does, if it has so many."""
    lines = itertools.count()

    def trace(frame, what, _):
        if what == "line" and next(lines) == at:
            signal.raise_signal(signal.SIGTERM)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        heard = event.wait(0.01)
    finally:
        sys.settrace(before)
    return heard or next(lines) <= at


@pytest.mark.parametrize("at", range(30))
def test_a_signal_in_the_middle_of_a_wait_is_heard(stopping, at):
    assert wait_with_a_signal(stopping, at)


def test_a_signal_ends_a_wait_at_once(stopping):
    began = time.monotonic()
    threading.Timer(0.05, os.kill, [os.getpid(), signal.SIGTERM]).start()
    assert stopping.wait(60)
    assert time.monotonic() - began < 30


def test_all_who_wait_hear_it():
    event = StopEvent()
    with ThreadPoolExecutor(8) as threads:
        waiting = [threads.submit(event.wait, 60) for _ in range(8)]
        event.set()
        assert [each.result() for each in waiting] == [True] * 8
    assert event.wait()


def test_without_a_wish_the_time_passes():
    event = StopEvent()
    assert not event.wait(0.01)
    assert not event.is_set()


def test_a_wish_cannot_be_taken_back():
    with pytest.raises(NotImplementedError, match="taken back"):
        StopEvent().clear()
