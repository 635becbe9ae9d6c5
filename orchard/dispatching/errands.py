"""One chunk on its way to a push node and back."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from typing import TypeVar

from orchard.byte_ranges import Blocks
from orchard.conf import get_conf
from orchard.dispatching.work_heard import AWAY_S
from orchard.domain import nodes
from orchard.domain.chunks import chunk_id
from orchard.domain.errors import NotFound, OrchardError, StaleToken, UnknownWorker
from orchard.domain.nodes import Condition
from orchard.domain.timeline import ChunkResult
from orchard.domain.workers import Worker
from orchard.ports.node_answers import Nonsense, read_answer
from orchard.ports.nodes import NodeClient, NodeFault, Sound
from orchard.services import EngineAway, EngineBusy, arun, dispatch, fleet, queries, reports, sounds
from orchard.services.claims import Claimed
from statecore.store.steps import Steps

log = logging.getLogger("orchard.dispatch")

T = TypeVar("T")


class Errand:
    """A chunk that a node is to do; whatever becomes of it is reported."""

    def __init__(self, client: NodeClient, worker: Worker, claimed: Claimed) -> None:
        self._client, self._worker, self._claimed = client, worker, claimed
        self._id = worker.worker_id
        self._token = claimed.chunk.token
        self.name = name_of(claimed)

    async def run(self) -> None:
        """Have the chunk done; cancelled, it is handed back."""
        log.info("chunk %s goes to %s", self.name, self._id)
        try:
            result = await self._listen()
        except NodeFault as fault:
            await self._give_up(fault)
        except StaleToken:
            log.warning("chunk %s went to somebody else", self.name)
        except NotFound as gone:  # its sound, or its whole job
            await self._fail(str(gone))
        except BaseException:  # asked to stop, or a fault of our own
            await self.hand_back("dispatcher shutting down")
            raise
        else:
            await self._complete(result)

    async def hand_back(self, reason: str) -> None:
        """Return the chunk without cost; its lease ends by itself when the engine is away."""
        with suppress(EngineAway, EngineBusy):
            await arun(dispatch.hand_back(self.name, self._id, self._token, reason))

    async def _listen(self) -> ChunkResult:
        stored = await arun(queries.chunk_audio_name(self.name, self._token))
        sound = await _open(stored)
        duration_ms, start = self._claimed.chunk.duration_ms, time.monotonic()
        asking = self._client.transcribe(self._worker.url, sound, self._timeout_s())
        raw = await self._watched(asking)
        took_ms = round((time.monotonic() - start) * 1000)
        try:
            return read_answer(raw, duration_ms=duration_ms, time_ms=took_ms)
        except Nonsense as nonsense:
            raise NodeFault(Condition.NONSENSE, str(nonsense)) from None

    def _timeout_s(self) -> float:
        ratios = [speed.speed_ratio for speed in self._worker.performance_history]
        return nodes.timeout_s(
            ratios, self._claimed.chunk.duration_ms, longest_s=get_conf().node_timeout_s,
            health=self._worker.node,
        )  # fmt: skip

    async def _watched(self, asking: Coroutine[None, None, bytes]) -> bytes:
        """The node's answer; meanwhile the lease of the chunk is kept, or its loss noticed.

        Raises:
            StaleToken: somebody else has the chunk now.
        """
        every_s = min(get_conf().chunk_lease_s / 3, get_conf().worker_online_s / 3)
        request = asyncio.create_task(asking)
        try:
            while not (await asyncio.wait({request}, timeout=every_s))[0]:
                await self._extend()
            return request.result()
        finally:
            request.cancel()
            with suppress(asyncio.CancelledError, NodeFault):
                await request

    async def _extend(self) -> None:
        try:
            beat = await arun(fleet.heartbeat(self._id, [(self.name, self._token)]))
        except (EngineAway, EngineBusy) as away:
            log.warning("the lease of %s could not be extended: %s", self.name, away)
        except UnknownWorker:
            raise StaleToken from None
        else:
            if beat.lost:
                raise StaleToken

    async def _give_up(self, fault: NodeFault) -> None:
        log.warning("chunk %s: %s is %s: %s", self.name, self._id, fault.condition, fault.reason)
        blamed = nodes.is_blamed_on_chunk(
            self._worker.node, fault.condition, self.name, completed=self._worker.completed
        )
        chunk = "" if fault.condition in nodes.AWAY else self.name
        note = (self._worker.url, fault.condition, fault.reason, chunk)
        await self._tell(lambda: dispatch.note_fault(*note))
        if blamed:
            await self._fail(f"{fault.condition}: {fault.reason}")
        else:
            await self.hand_back(f"{self._id} is {fault.condition}")

    async def _fail(self, reason: str) -> None:
        await self._tell(lambda: reports.fail(self.name, self._id, self._token, reason))

    async def _complete(self, result: ChunkResult) -> None:
        log.info("chunk %s done by %s in %d ms", self.name, self._id, result.time_ms)
        await self._tell(lambda: reports.complete(self.name, self._id, self._token, result))
        health = self._worker.node
        if health is None or health.failures or health.condition is not Condition.WELL:
            await self._tell(lambda: dispatch.note_success(self._worker.url))

    async def _tell(self, make: Callable[[], Steps[T]]) -> None:
        """Note something, however long the engine is away; a refusal is final."""
        while True:
            try:
                await arun(make())
                return
            except (EngineAway, EngineBusy) as away:
                log.warning("the state engine is away: %s", away)
                await asyncio.sleep(AWAY_S)
            except OrchardError as refusal:
                log.warning("%s, %s: %s", self._id, self.name, refusal)
                return


def name_of(claimed: Claimed) -> str:
    """The claimed chunk's name to the outside."""
    return chunk_id(claimed.job.job_id, claimed.chunk.index)


async def _open(stored: str) -> Sound:
    stream, size = await asyncio.to_thread(sounds.open_sound, stored)
    await asyncio.to_thread(stream.close)
    return Sound(size, lambda: _blocks(stored))


async def _blocks(stored: str) -> AsyncIterator[bytes]:
    stream, _ = await asyncio.to_thread(sounds.open_sound, stored)
    blocks = Blocks(stream)
    try:
        async for block in blocks:
            yield block
    finally:
        blocks.close()
