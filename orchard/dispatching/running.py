"""A dispatcher from its start to its end: which nodes it drives, beside other dispatchers."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from orchard.dispatching.work_heard import WorkHeard
from orchard.services import EngineAway, EngineBusy, arun, dispatch

if TYPE_CHECKING:
    from orchard.dispatching.driver import Driver
    from orchard.ports.nodes import NodeClient

log = logging.getLogger("orchard.dispatch")

ROUND_S = 1.0
"""How often a dispatcher looks for nodes that nobody drives, in seconds."""


def new_holder() -> str:
    """A name for this process that no other process has, readable in the records."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"


class Dispatcher:
    """Drives its share of the push nodes."""

    def __init__(self, holder: str) -> None:
        self._holder = holder
        self._heard = WorkHeard()
        self._client: NodeClient | None = None
        self._drivers: dict[str, tuple[Driver, asyncio.Task[None]]] = {}

    async def serve(self, stopping: asyncio.Event, *, grace_s: float) -> None:
        """Drive nodes until ``stopping`` is set; chunks at hand have ``grace_s`` left then."""
        listening = asyncio.create_task(self._heard.listen(), name="work heard")
        log.info("dispatcher %s is ready", self._holder)
        try:
            while not stopping.is_set():
                await self._patiently()
                with suppress(TimeoutError):
                    async with asyncio.timeout(ROUND_S):
                        await stopping.wait()
        finally:
            await self._finish(grace_s)
            listening.cancel()
            await asyncio.wait({listening})
            log.info("dispatcher %s has stopped", self._holder)

    async def _patiently(self) -> None:
        try:
            await self._look()
        except (EngineAway, EngineBusy) as away:
            log.warning("the state engine is away: %s", away)
        except Exception:  # the drivers go on whatever happens here
            log.exception("a round of the dispatcher went wrong")

    async def _look(self) -> None:
        """Take over nodes that nobody drives, up to a fair share; leave what is beyond it."""
        dispatchers = await arun(dispatch.sign_in(self._holder))
        urls = [worker.url for worker in await arun(dispatch.find_nodes())]
        most = dispatch.share(len(urls), dispatchers)
        self._drivers = {url: one for url, one in self._drivers.items() if not one[1].done()}
        for driver, _ in [*self._drivers.values()][most:]:
            driver.leave()
        for url in urls:
            if len(self._drivers) >= most:
                return
            if url not in self._drivers and await arun(dispatch.hold_node(url, self._holder)):
                self._start(url)

    def _start(self, url: str) -> None:
        # Imported here: without push nodes an HTTP client would be 10 MB for nothing.
        from orchard.dispatching.driver import Driver
        from orchard.ports.nodes import NodeClient

        self._client = self._client or NodeClient(dispatch.allowed_networks())
        driver = Driver(url, self._holder, self._client, self._heard)
        self._drivers[url] = (driver, asyncio.create_task(driver.drive()))

    async def _finish(self, grace_s: float) -> None:
        """Let chunks at hand be finished for a while, then have them handed back."""
        tasks = {task for _, task in self._drivers.values()}
        for driver, _ in self._drivers.values():
            driver.leave()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._client:
            await self._client.aclose()
        with suppress(EngineAway, EngineBusy):
            await arun(dispatch.sign_out(self._holder))
