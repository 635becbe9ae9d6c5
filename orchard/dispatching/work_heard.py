"""What wakes idle drivers: an event after which a chunk may be claimable."""

from __future__ import annotations

import asyncio
import logging

from orchard.services import EngineAway, arun, queries

BLOCK_MS = 5_000
AWAY_S = 1.0
"""Rest before the state engine is asked again after it was away, in seconds."""
MEANS_WORK = (b'"chunk.requeued"', b'"job.advanced"')

log = logging.getLogger("orchard.dispatch")


class WorkHeard:
    """One tail of the events for all drivers of a process."""

    def __init__(self) -> None:
        self.count = 0
        """Grows whenever there may be work; take it before you look for some."""
        self._waiting: set[asyncio.Event] = set()

    async def listen(self) -> None:
        """Wake drivers whenever there may be work, for ever."""
        cursor = "$"
        while True:
            try:
                tailed = await arun(queries.events_after(cursor, block_ms=BLOCK_MS))
            except EngineAway:
                await asyncio.sleep(AWAY_S)
                continue
            cursor = tailed.cursor
            if tailed.reset or any(_means_work(raw) for _, raw in tailed.entries):
                self.wake()

    def wake(self) -> None:
        """Let all drivers look."""
        self.count += 1
        for waiting in self._waiting:
            waiting.set()

    async def wait(self, timeout_s: float, since: int) -> None:
        """Wait for work that was not there when the count was ``since``, or for ``timeout_s``."""
        heard = asyncio.Event()
        if self.count != since:
            return
        self._waiting.add(heard)
        try:
            async with asyncio.timeout(timeout_s):
                await heard.wait()
        except TimeoutError:
            return
        finally:
            self._waiting.discard(heard)


def _means_work(raw: bytes) -> bool:
    return any(name in raw for name in MEANS_WORK)
