"""The partitioned store: many partitions of one engine that look like one store.

A key lives in the partition of its entity, an index or the events have a part
in each (see ``layouts``). A commit stays within one partition. Counts and
pages are gathered over all parts, takes go round, and a cursor of the events
holds one position for each part.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from statecore.store import ops
from statecore.store.base import Store
from statecore.store.facts import Facts
from statecore.store.gathering import Batches, gather_page, gather_tail, gather_values
from statecore.store.layouts import HOME, Layout, tagged
from statecore.store.routing import route


class PartitionedStore(Store):
    """A store over the partitions of another one, which knows nothing of them.

    What is read from several partitions is of several moments; everything
    else keeps what :class:`Store` promises.
    """

    def __init__(self, engine: Store, count: int, layout: Layout) -> None:
        super().__init__(engine.clock)
        self.engine, self.count, self.layout = engine, count, layout
        self.name = engine.name
        self._rounds = itertools.count(random.randrange(count))  # noqa: S311
        self._is_closed = False

    def perform(self, request: ops.Request) -> Any:
        """Do one request and return its reply."""
        steps = self._plan(request)
        try:
            batch = next(steps)
            while True:
                if isinstance(batch, ops.Pause):
                    time.sleep(batch.seconds)
                    batch = next(steps)
                else:
                    batch = steps.send([self.engine.perform(each) for each in batch])
        except StopIteration as done:
            return done.value

    async def aperform(self, request: ops.Request) -> Any:
        """Do one request without blocking the event loop; its parts are asked side by side."""
        steps = self._plan(request)
        try:
            batch = next(steps)
            while True:
                if isinstance(batch, ops.Pause):
                    await asyncio.sleep(batch.seconds)
                    batch = next(steps)
                else:
                    batch = steps.send(await self._side_by_side(batch))
        except StopIteration as done:
            return done.value

    def check(self) -> None:
        """Ask the engine for something; see :meth:`Store.check`."""
        self.engine.check()

    def locate(self, keys: Sequence[str]) -> tuple[int, ...]:
        """The partitions that these keys live in."""
        return tuple(self.layout.place_of(key, self.count) for key in keys)

    def describe(self, *streams: str) -> Facts:
        """What the engine tells of itself; a stream is as long as all of its parts."""
        parts = {stream: self._parts_of(stream) for stream in streams}
        told = self.engine.describe(*itertools.chain.from_iterable(parts.values()))
        if lengths := told.get("streams"):
            told |= {"streams": {
                stream: sum(lengths[part] for part in names) for stream, names in parts.items()
            }}  # fmt: skip
        return told

    def now(self) -> datetime:
        """The server's time; see the engine below."""
        return self.engine.now()

    async def anow(self) -> datetime:
        """The server's time; see the engine below."""
        return await self.engine.anow()

    def close(self) -> None:
        """Give back what this process holds; blocked tails end."""
        self._is_closed = True
        super().close()
        self.engine.close()

    async def aclose(self) -> None:
        """Give back what this process holds for the running event loop."""
        await super().aclose()
        await self.engine.aclose()

    def _plan(self, request: ops.Request) -> Batches:
        """Requests to the engine below, in batches that may be done side by side."""
        match request:
            case ops.Read():
                return gather_values(request, self.layout, self.count)
            case ops.Commit():
                return route(request, self.layout, self.count)
            case ops.Take():
                return self._take(request)
            case ops.ScanIndex(key) if key in self.layout.indexes:
                return gather_page(request, self.count)
            case ops.Tail(key) if key in self.layout.streams:
                return gather_tail(request, self.count, lambda: self._is_closed)
        return self._pass_on(request)

    def _pass_on(self, request: ops.ScanIndex | ops.Tail) -> Batches:
        home = self.layout.place_of(request.key, self.count)
        (reply,) = yield [replace(request, key=tagged(home, request.key))]
        return reply

    def _take(self, take: ops.Take) -> Batches:
        """Take from one partition after the other, each time beginning with the next."""
        if take.queue not in self.layout.indexes:
            (reply,) = yield [_take_at(HOME, take, take.count)]
            return reply
        first = next(self._rounds) % self.count
        (found,) = yield [_take_at(first, take, take.count)]
        if len(found) == take.count or self.count == 1:
            return found
        others = [(first + i) % self.count for i in range(1, self.count)]
        due_ms = round(self.clock.now().timestamp() * 1000)
        counts = yield [_waiting(place, take, due_ms) for place in others]
        for place, (queued, due) in zip(others, counts, strict=True):
            if queued or due:
                (more,) = yield [_take_at(place, take, take.count - len(found))]
                found = [*found, *more]
            if len(found) == take.count:
                break
        return found

    def _parts_of(self, stream: str) -> list[str]:
        spread = stream in self.layout.streams
        places = range(self.count) if spread else self.locate([stream])
        return [tagged(place, stream) for place in places]

    async def _side_by_side(self, batch: Sequence[ops.Request]) -> list[Any]:
        if len(batch) == 1:
            return [await self.engine.aperform(batch[0])]
        return list(await asyncio.gather(*map(self.engine.aperform, batch)))


def _take_at(place: int, take: ops.Take, count: int) -> ops.Take:
    beside = tuple(replace(each, key=tagged(place, each.key)) for each in take.beside)
    names = {"queue": tagged(place, take.queue), "leases": tagged(place, take.leases)}
    return replace(take, count=count, beside=beside, **names)


def _waiting(place: int, take: ops.Take, due_ms: float) -> ops.Read:
    """How many members a partition has to give: queued, and with a lease that ran out."""
    leases = ops.Count(tagged(place, take.leases), high=due_ms)
    return ops.Read((ops.Count(tagged(place, take.queue)), leases))
