"""One push node and all that is done on its behalf, one chunk at a time."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress

from orchard.dispatching.errands import Errand, name_of
from orchard.dispatching.work_heard import AWAY_S, WorkHeard
from orchard.domain.errors import UnknownWorker, WorkerUnavailable
from orchard.domain.workers import Worker, worker_id
from orchard.ports.nodes import NodeClient, NodeFault
from orchard.services import EngineAway, EngineBusy, arun, claims, dispatch
from orchard.services.claims import Claimed

log = logging.getLogger("orchard.dispatch")

LOOK_AGAIN_S = 2.0
"""Leases and rests that run out make no event, so an idle driver looks this often anyway."""


class Driver:
    """Drives one node for as long as this dispatcher holds it."""

    def __init__(self, url: str, holder: str, client: NodeClient, heard: WorkHeard) -> None:
        self.url = url
        self._holder, self._client, self._heard = holder, client, heard
        self._id = worker_id(url)
        self._leaving = False
        self._is_new = True

    def leave(self) -> None:
        """End after the chunk at hand."""
        self._leaving = True
        self._heard.wake()

    async def drive(self) -> None:
        """Drive the node until told to leave, or until it is somebody else's, or nobody's.

        Whoever cancels this lets the chunk at hand be handed back.
        """
        driving = asyncio.create_task(self._drive(), name=f"drive {self._id}")
        try:
            await self._keep_hold(driving)
        finally:
            driving.cancel()
            await asyncio.wait({driving})
            with suppress(EngineAway, EngineBusy):
                await arun(dispatch.release_node(self.url, self._holder))

    async def _keep_hold(self, driving: asyncio.Task[None]) -> None:
        """Renew the hold on the node until the driving has ended, or the hold is lost."""
        while not (await asyncio.wait({driving}, timeout=dispatch.LEASE_MS / 4000))[0]:
            try:
                if not await arun(dispatch.hold_node(self.url, self._holder)):
                    log.warning("node %s is driven by another dispatcher now", self._id)
                    return
            except (EngineAway, EngineBusy):
                continue  # nobody else can take it either

    async def _drive(self) -> None:
        while not self._leaving:
            try:
                await self._round()
            except UnknownWorker:
                log.info("node %s has left the fleet", self._id)
                return
            except WorkerUnavailable:  # drained or paused by hand
                await self._rest(LOOK_AGAIN_S)
            except (EngineAway, EngineBusy) as away:
                log.warning("the state engine is away: %s", away)
                await self._rest(AWAY_S)
            except Exception:  # a fault of our own must not cost the node
                log.exception("a round with node %s went wrong", self._id)
                await self._rest(AWAY_S)

    async def _round(self) -> None:
        """Do what there is to do about the node: ask how it is, let it rest, or give it work."""
        if self._is_new:
            await self._clear_up()
        since = self._heard.count
        plan = await arun(dispatch.plan(self._id))
        if plan.check_s <= 0:
            await self._check()
        elif plan.rest_s > 0:
            await self._rest(min(plan.rest_s, plan.check_s, LOOK_AGAIN_S))
        elif claimed := await self._claim(plan.worker):
            await Errand(self._client, plan.worker, claimed).run()
        else:
            await self._heard.wait(min(plan.check_s, LOOK_AGAIN_S), since)

    async def _clear_up(self) -> None:
        """Return what the node's last dispatcher left with it: nobody waits for the answers."""
        left = await arun(dispatch.release_chunks(self._id, "its dispatcher fell silent"))
        if left:
            log.warning("node %s was left with %s", self._id, ", ".join(left))
        self._is_new = False

    async def _rest(self, seconds: float) -> None:
        stop = time.monotonic() + seconds
        while not self._leaving and (left := stop - time.monotonic()) > 0:
            await asyncio.sleep(min(left, 0.5))

    async def _check(self) -> None:
        try:
            await self._client.probe(self.url)
        except NodeFault as fault:
            log.warning("node %s is %s: %s", self._id, fault.condition, fault.reason)
            await arun(dispatch.note_fault(self.url, fault.condition, fault.reason))
        else:
            await arun(dispatch.note_sign(self.url))

    async def _claim(self, worker: Worker) -> Claimed | None:
        """A chunk for the node; others get first what it failed before."""
        first = await arun(claims.claim(self._id, 1))
        if not first or not _has_failed(worker, first[0]):
            return first[0] if first else None
        if not await arun(dispatch.is_wanted_elsewhere(worker)):
            return first[0]
        others = await arun(claims.claim(self._id, 1))
        await self._avoid(worker, first[0])
        if others and not _has_failed(worker, others[0]):
            return others[0]
        for other in others:
            await self._avoid(worker, other)
        await arun(dispatch.note_avoided(self._id))
        return None

    async def _avoid(self, worker: Worker, claimed: Claimed) -> None:
        await Errand(self._client, worker, claimed).hand_back("this node failed it before")


def _has_failed(worker: Worker, claimed: Claimed) -> bool:
    return worker.node is not None and name_of(claimed) in worker.node.failed_on
