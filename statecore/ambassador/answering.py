"""Answering: requests come in over a channel, are done in order, and their answers go out."""

from __future__ import annotations

import asyncio
import logging

from statecore import keys
from statecore.ambassador import messages
from statecore.ambassador.actions import Task, plan
from statecore.ambassador.desk import Desk, Pending
from statecore.ambassador.lead import Lead
from statecore.ambassador.messages import Damaged, Request
from statecore.ambassador.once import ConditionFailed
from statecore.domain.errors import StateError
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.channels import Channels
from statecore.store.errors import StoreError, StoreFull, StoreUnavailable, TooManyConflicts

log = logging.getLogger("statecore.ambassador")

LANES = 16
"""How many requests are done at once; those of one process follow each other."""
AWAY_S = 0.5
"""Rest before the engine is asked again when it was away, in seconds."""
WRONG = "The ambassador could not do this"


class Answering:
    """The part of an ambassador that listens and answers, on one event loop."""

    def __init__(self, store: Store, channels: Channels, lead: Lead) -> None:
        self._store, self._channels, self._lead = store, channels, lead
        self._desk = Desk()
        self._lanes: list[asyncio.Queue[Pending]] = [asyncio.Queue() for _ in range(LANES)]
        self._room = asyncio.Event()
        self._busy = 0
        lead.on_turn = self.turn
        self.listens = asyncio.Event()
        """Set while requests are heard."""

    # -- what comes in -----------------------------------------------------------

    async def listen(self) -> None:
        """Hear requests, and the answers of others, until this is cancelled."""
        while True:
            try:
                await self._listen()
            except StoreError as fault:
                log.warning("the channels cannot be heard: %s", fault)
            except Exception:
                log.exception("listening went wrong")
            await asyncio.sleep(AWAY_S)

    async def _listen(self) -> None:
        heard = self._channels.listen(keys.REQUESTS_CHANNEL, keys.RESPONSES_CHANNEL)
        async with heard as incoming:
            self.listens.set()
            try:
                async for channel, raw in incoming:
                    if channel == keys.REQUESTS_CHANNEL:
                        await self._receive(raw)
                    elif not self._lead.is_active:
                        self._desk.hear(messages.answered_id(raw), raw)
            finally:
                self.listens.clear()

    async def _receive(self, raw: bytes) -> None:
        try:
            request = messages.parse(raw)
        except Damaged as damaged:
            log.warning("a request of %d bytes was dropped: %s", len(raw), damaged)
            return
        await self._have_room()
        found = self._desk.receive(request)
        if isinstance(found, bytes):
            if self._lead.is_active:
                await self._tell(found)
        elif found and self._lead.is_active:
            self._queue(found)

    async def _have_room(self) -> None:
        """The active one lets the engine keep what it cannot hold; a standby forgets the oldest."""
        while self._desk.is_full and self._lead.is_active:
            self._room.clear()
            await self._room.wait()
        self._desk.make_room()

    def _queue(self, pending: Pending) -> None:
        if not pending.is_queued:
            pending.is_queued = True
            self._lanes[hash(pending.request.sender) % LANES].put_nowait(pending)

    # -- what is done ------------------------------------------------------------

    def turn(self) -> None:
        """Having become active, do what others left undone."""
        self._room.set()
        left = self._desk.waiting() if self._lead.is_active else []
        if left:
            log.info("requests that wait for an answer: %d", len(left))
        for pending in left:
            self._queue(pending)

    async def work(self, lane: int) -> None:
        """Do the requests of one lane, one after the other, until this is cancelled."""
        while True:
            pending = await self._lanes[lane].get()
            self._busy += 1
            try:
                await self._do(pending)
            except Exception:
                log.exception("answering went wrong")
            finally:
                pending.is_queued = False
                self._busy -= 1
                self._room.set()

    async def finish(self) -> None:
        """Wait until what was begun is done and told."""
        while self._lead.is_active and (self._busy or any(lane.qsize() for lane in self._lanes)):
            await asyncio.sleep(0.01)

    async def _do(self, pending: Pending) -> None:
        while self._lead.is_active and self._desk.is_waiting(pending):
            try:
                answer = await self._answer(pending.request)
            except ConditionFailed:
                await self._lead.look()
            except StoreUnavailable:
                await asyncio.sleep(AWAY_S)
            else:
                self._desk.settle(pending.request, answer)
                await self._tell(answer)

    async def _answer(self, request: Request) -> bytes:
        """What is answered; a refusal is an answer.

        Raises:
            ConditionFailed: another ambassador is active.
            StoreUnavailable: the engine is away; it is not known what was done.
        """
        at = await self._store.anow()
        try:
            task = plan(request)
            if task.promised is not None:
                promised = messages.success(request, at, task.promised)
                return await self._do_once(request, task, promised)
            result = await self._store.arun(self._lead.only_while_active(task.steps))
            return messages.success(request, at, result)
        except StateError as refused:
            return messages.failure(request, at, str(refused), type(refused).__name__)
        except (StoreFull, TooManyConflicts) as fault:
            return messages.failure(request, at, str(fault), type(fault).__name__)
        except (ConditionFailed, StoreUnavailable):
            raise
        except Exception:
            log.exception("a request could not be done: %s", messages.quote(repr(request.message)))
            return messages.failure(request, at, WRONG)

    async def _do_once(self, request: Request, task: Task, promised: bytes) -> bytes:
        """Do what must not be done twice, and keep the answer in the commit that does it."""
        place = ops.Key(keys.answer(request.fingerprint))
        (told,) = await self._store.aread(place)
        if told is not None:
            return bytes(told)
        keep = ops.Set(place.key, promised, keys.ANSWER_TTL_MS)
        steps = self._lead.only_while_active(task.steps, {place: None}, (keep,))
        try:
            await self._store.arun(steps)
        except ConditionFailed as failed:
            if told := failed.current.get(place):
                return bytes(told)
            raise
        return promised

    async def _tell(self, answer: bytes) -> None:
        try:
            await self._channels.publish(keys.RESPONSES_CHANNEL, answer)
        except StoreError as fault:  # whoever repeats the request gets this answer then
            log.warning("an answer could not be told: %s", fault)
