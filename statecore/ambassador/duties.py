"""What the active ambassador does unasked: its own heartbeat, orphans, label requests."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from statecore.ambassador.lead import Lead
from statecore.ambassador.once import ConditionFailed
from statecore.domain.errors import UnknownProcess
from statecore.domain.processes import ACTIVE
from statecore.ports.deliveries import Delivery
from statecore.services import labels, locks, orphans, processes
from statecore.services.deliveries import deliver_batch
from statecore.services.engine import get_limits
from statecore.store.base import Store
from statecore.store.errors import StoreUnavailable
from statecore.store.steps import Steps

log = logging.getLogger("statecore.ambassador")

PROCESS_ID, ROLE = "mirin-redis-ambassador", "redis-ambassador"
HEARTBEAT_S = 30.0
DELIVER_S = 0.5
"""How often new label requests are looked for, in seconds."""
WRONG_S = 5.0
"""Rest after something went wrong, in seconds."""


class Duties:
    """The duties of one ambassador, on one event loop; it does them while it is active."""

    def __init__(self, store: Store, lead: Lead, check_every_s: float) -> None:
        self._store, self._lead, self._check_every_s = store, lead, check_every_s

    async def beat(self) -> None:
        """Show that an ambassador is there, until this is cancelled."""
        await self._regularly(HEARTBEAT_S, lambda: self._run(_beat()))

    async def clear(self, comment: orphans.Comment) -> None:
        """Look for orphans and other leftovers, until this is cancelled.

        Whoever could not be heard while there was no ambassador gets the time
        to show life before it counts as dead.
        """
        first_s = min(self._check_every_s, get_limits().heartbeat_limit_ms / 1000)
        clear = self._clear
        await self._regularly(self._check_every_s, lambda: clear(comment), first_s)

    async def deliver(self, delivery: Delivery) -> None:
        """Deliver label requests as they come, until this is cancelled."""
        await self._regularly(DELIVER_S, lambda: self._deliver(delivery))

    async def leave(self) -> None:
        """Say that this ambassador ends."""
        if self._lead.is_active:
            steps = processes.clean_up(PROCESS_ID, final_status="stopped", reason="stopped")
            await self._run(steps)

    async def _regularly(
        self, every_s: float, do: Callable[[], Awaitable[None]], first_s: float = 0.0
    ) -> None:
        rest_s = first_s
        while True:
            if not self._lead.begun.is_set():
                await self._lead.begun.wait()
                rest_s = first_s
            await asyncio.sleep(rest_s)
            try:
                if self._lead.is_active:
                    await do()
                rest_s = every_s
            except StoreUnavailable as away:
                log.warning("the state engine is away: %s", away)
                rest_s = max(first_s, WRONG_S)
            except ConditionFailed:  # another one is active
                await self._lead.look()
            except Exception:
                log.exception("a duty went wrong")
                rest_s = WRONG_S

    async def _run(self, steps: Steps[Any]) -> None:
        await self._store.arun(self._lead.only_while_active(steps))

    async def _clear(self, comment: orphans.Comment) -> None:
        repaired = await self._store.arun(orphans.repair_all(comment))
        for orphan in repaired:
            log.info("issue #%d was orphaned: %s", orphan.issue.number, orphan.reason)
        for name, numbers in (await self._store.arun(processes.clean_zombies())).items():
            log.info("process %s was silent for too long; it held %s", name, numbers or "nothing")
        await self._store.arun(locks.forget_expired())
        await self._store.arun(labels.forget_old())

    async def _deliver(self, delivery: Delivery) -> None:
        # In a thread: a delivery waits for a disk or for another site.
        tried = 1
        while tried and self._lead.is_active:
            tried = await asyncio.to_thread(deliver_batch, self._store, delivery)


def _beat() -> Steps[None]:
    host, pid = socket.gethostname(), os.getpid()
    try:
        known = yield from processes.get(PROCESS_ID)
    except UnknownProcess:
        known = None
    if known and (known.status, known.host, known.pid) == (ACTIVE, host, pid):
        yield from processes.heartbeat(PROCESS_ID, renews=False)
    else:
        yield from processes.register(PROCESS_ID, pid=pid, host=host, role=ROLE)
