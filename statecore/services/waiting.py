"""Answers that wait for news: when the process is to stop, they end at once with what there is."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")

_ends: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Event] = WeakKeyDictionary()


def end_waits() -> None:
    """Let everybody go who waits in this event loop, now and from now on: it is to stop."""
    _end().set()


def is_ending() -> bool:
    """Whether this event loop is to stop, so that nobody may wait any longer."""
    return _end().is_set()


async def until_ending(reading: Coroutine[Any, Any, T]) -> T | None:
    """What a reading finds that may wait; ``None`` when the process is to stop before.

    It is cancelled then: it must not change anything.
    """
    end = asyncio.create_task(_end().wait())
    wait = asyncio.create_task(reading)
    try:
        await asyncio.wait((wait, end), return_when=asyncio.FIRST_COMPLETED)
        return wait.result() if wait.done() else None
    finally:
        for task in (wait, end):
            task.cancel()
        await asyncio.gather(wait, end, return_exceptions=True)


def _end() -> asyncio.Event:
    return _ends.setdefault(asyncio.get_running_loop(), asyncio.Event())
