"""An ambassador from its start to its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any

from statecore.ambassador.answering import LANES, Answering
from statecore.ambassador.duties import Duties
from statecore.ambassador.lead import Lead, new_owner
from statecore.ambassador.once import ConditionFailed
from statecore.ports.deliveries import Delivery
from statecore.services.orphans import Comment
from statecore.store.base import Store
from statecore.store.channels import open_channels
from statecore.store.errors import StoreError

log = logging.getLogger("statecore.ambassador")

FINISH_S = 5.0
"""How long an ambassador that stops goes on with what it has begun, in seconds."""


async def serve(
    store: Store, stopping: asyncio.Event, *, comment: Comment, check_every_s: float = 300.0,
    delivery: Delivery | None = None,
) -> None:  # fmt: skip
    """Be an ambassador until ``stopping`` is set.

    ``comment`` words what is said on an orphaned issue; orphans are looked for
    every ``check_every_s``. Without a ``delivery``, label requests stay queued.
    """
    lead = Lead(store, new_owner())
    duties = Duties(store, lead, check_every_s)
    channels = open_channels(store)
    answering = Answering(store, channels, lead) if channels else None
    hearing = [asyncio.create_task(answering.listen())] if answering else []
    if answering:
        await _first(answering.listens, stopping)
    works: list[Coroutine[None, None, None]] = [lead.keep(), duties.beat(), duties.clear(comment)]
    if delivery:
        works.append(duties.deliver(delivery))
    if answering:
        works += [answering.work(lane) for lane in range(LANES)]
    working = [asyncio.create_task(work) for work in works]
    log.info("ambassador %s is ready", lead.owner)
    try:
        await stopping.wait()
        await _end(hearing)
        # Without the engine nothing can be finished: the lease ends by itself.
        with suppress(TimeoutError, StoreError, ConditionFailed):
            async with asyncio.timeout(FINISH_S):
                if answering:
                    await answering.finish()
                await duties.leave()
    finally:
        await _end([*hearing, *working])
        await lead.hand_over()
        if channels:
            await channels.close()
        await store.aclose()
        log.info("ambassador %s has stopped", lead.owner)


async def _first(*events: asyncio.Event) -> None:
    """Wait until one of these is set."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    await _end(waiting)


async def _end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
