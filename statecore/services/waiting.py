"""Answers that wait for news: when the process is to stop, they end at once with what there is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
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


async def look_until_ending(look: Callable[[int], Coroutine[Any, Any, T]], wait_ms: int) -> T:
    """What a look finds that may wait so many milliseconds; it must not change anything.

    When the process is to stop before, it is given up for a look that does not wait.
    """
    end = asyncio.create_task(_end().wait())
    waiting = asyncio.create_task(look(wait_ms))
    try:
        await asyncio.wait((waiting, end), return_when=asyncio.FIRST_COMPLETED)
        return waiting.result() if waiting.done() else await look(0)
    finally:
        for task in (waiting, end):
            task.cancel()
        await asyncio.gather(waiting, end, return_exceptions=True)


def _end() -> asyncio.Event:
    return _ends.setdefault(asyncio.get_running_loop(), asyncio.Event())
