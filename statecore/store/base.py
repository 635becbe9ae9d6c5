"""The seam between services and a state engine: six verbs, and two drivers for steps."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar, cast

from statecore.store import ops
from statecore.store.clock import Clock
from statecore.store.facts import Facts
from statecore.store.holds import HotKeys, LoopHolds, ThreadHolds
from statecore.store.lastseen import LastSeen
from statecore.store.steps import Steps

T = TypeVar("T")


class Gatekeeper(Protocol):
    """Who is asked before each request of a service, and may refuse it; see ``schema``."""

    def check(self) -> None:
        """Raise a :class:`StoreError` when nothing may be asked of the engine."""

    async def acheck(self) -> None:
        """The same, without blocking the event loop."""


class Store(ABC):
    """A state engine. Safe to be shared by threads and event loops.

    Raises (all verbs):
        StoreUnavailable: the engine cannot be reached; whether a commit
            happened is then unknown.
        StoreFull: the engine has no memory left for writes; nothing was written.
        StoreError: the request makes no sense (a key of another type, a lifetime
            of zero, keys of two partitions); nothing was written.
    """

    clock: Clock
    name: str
    """Which kind of engine this is: ``memory``, ``redis`` or ``embedded``."""
    gate: Gatekeeper | None = None
    """Who lets services pass; nobody has to where the state is this process's own."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.last_seen = LastSeen()
        self.hot_keys = HotKeys()

    # -- what each engine does itself ---------------------------------------

    @abstractmethod
    def perform(self, request: ops.Request) -> Any:
        """Do one request and return the reply that its class describes."""

    @abstractmethod
    async def aperform(self, request: ops.Request) -> Any:
        """Do one request without blocking the event loop; see :meth:`perform`."""

    def perform_all(self, requests: Sequence[ops.Request]) -> list[Any]:
        """Do requests that need not wait for each other; see :class:`ops.Together`."""
        return [self.perform(each) for each in requests]

    async def aperform_all(self, requests: Sequence[ops.Request]) -> list[Any]:
        """The same as :meth:`perform_all`, without blocking the event loop."""
        return [await self.aperform(each) for each in requests]

    @abstractmethod
    def describe(self, *streams: str) -> Facts:
        """What the engine tells of itself, with the lengths of some streams; see ``facts``."""

    def locate(self, keys: Sequence[str]) -> tuple[int, ...]:
        """The partitions that these keys live in; there is one unless the store says otherwise."""
        return (0,) * len(keys)

    def check(self) -> None:  # noqa: B027 - what is no server has nothing to refuse
        """Ask the engine for something, so that a wrong setting is told at start.

        Raises:
            EngineRefuses: it is there, and a setting is wrong.
            StoreUnavailable: it is not there now.
        """

    def now(self) -> datetime:
        """The server's time, aware UTC, rounded down to milliseconds."""
        return self.clock.now()

    async def anow(self) -> datetime:
        """The server's time, without blocking the event loop."""
        return self.clock.now()

    def close(self) -> None:
        """Give back what this process holds; blocked tails end. Closing twice is harmless."""
        self.last_seen = LastSeen()

    async def aclose(self) -> None:
        """Give back what this process holds for the running event loop."""
        self.last_seen = LastSeen()

    # -- verbs ---------------------------------------------------------------

    def read(self, *refs: ops.Ref) -> list[Any]:
        """Read some places at one moment, in the order asked."""
        return cast("list[Any]", self.perform(ops.Read(refs)))

    def commit(
        self, expected: Mapping[ops.Cell, bytes | None], writes: Sequence[ops.Write]
    ) -> ops.Committed | ops.Conflict:
        """Apply all writes if every expected cell still holds these bytes."""
        reply = self.perform(ops.Commit(expected, tuple(writes)))
        return cast("ops.Committed | ops.Conflict", reply)

    def take(self, queue: str, leases: str, count: int, ttl_ms: int) -> list[str]:
        """Lease up to ``count`` members of a queue; see :class:`ops.Take`."""
        return cast("list[str]", self.perform(ops.Take(queue, leases, count, ttl_ms)))

    def scan_index(self, key: str, limit: int, **bounds: Any) -> list[tuple[str, float]]:
        """One page of a sorted set; see :class:`ops.ScanIndex`."""
        return cast("list[tuple[str, float]]", self.perform(ops.ScanIndex(key, limit, **bounds)))

    def tail(self, key: str, after: str, limit: int = 500, block_ms: int = 0) -> ops.Tailed:
        """Entries of a stream after a cursor; see :class:`ops.Tail`."""
        return cast("ops.Tailed", self.perform(ops.Tail(key, after, limit, block_ms)))

    async def aread(self, *refs: ops.Ref) -> list[Any]:
        """Read some places at one moment, without blocking the event loop."""
        return cast("list[Any]", await self.aperform(ops.Read(refs)))

    async def acommit(
        self, expected: Mapping[ops.Cell, bytes | None], writes: Sequence[ops.Write]
    ) -> ops.Committed | ops.Conflict:
        """Apply all writes if every expected cell still holds these bytes."""
        reply = await self.aperform(ops.Commit(expected, tuple(writes)))
        return cast("ops.Committed | ops.Conflict", reply)

    async def atail(self, key: str, after: str, limit: int = 500, block_ms: int = 0) -> ops.Tailed:
        """Entries of a stream after a cursor, without blocking the event loop."""
        return cast("ops.Tailed", await self.aperform(ops.Tail(key, after, limit, block_ms)))

    # -- drivers of steps -----------------------------------------------------

    def run(self, steps: Steps[T]) -> T:
        """Do what ``steps`` ask for until they have their result.

        What goes wrong is raised inside them first, so that they may react.
        """
        held = self.hot_keys.for_thread()
        try:
            request = next(steps)
            while True:
                try:
                    reply = self._answer(request, held)
                except Exception as error:
                    request = steps.throw(error)
                else:
                    request = steps.send(reply)
        except StopIteration as done:
            return cast("T", done.value)
        finally:
            held.give_back_all()
            steps.close()

    async def arun(self, steps: Steps[T]) -> T:
        """Do what ``steps`` ask for, without blocking the event loop; see :meth:`run`."""
        held = self.hot_keys.for_loop()
        try:
            request = next(steps)
            while True:
                try:
                    reply = await self._aanswer(request, held)
                except Exception as error:
                    request = steps.throw(error)
                else:
                    request = steps.send(reply)
        except StopIteration as done:
            return cast("T", done.value)
        finally:
            held.give_back_all()
            steps.close()

    def _answer(self, request: Any, held: ThreadHolds) -> Any:
        kind = type(request)
        if at_once := _AT_ONCE.get(kind):
            return at_once(self, request, held)
        if kind is ops.Now:
            return self.now()
        if kind is ops.Begin:
            if request.hot:
                held.take(request.hot)
            return self.last_seen.recall(request.cells), self.now()
        if kind is ops.Pause:
            return time.sleep(request.seconds)
        if self.gate is not None:
            self.gate.check()
        if kind is ops.Together:
            return self.perform_all(request.requests)
        return self.perform(request)

    async def _aanswer(self, request: Any, held: LoopHolds) -> Any:
        kind = type(request)
        if at_once := _AT_ONCE.get(kind):
            return at_once(self, request, held)
        if kind is ops.Now:
            return await self.anow()
        if kind is ops.Begin:
            if request.hot:
                await held.take(request.hot)
            return self.last_seen.recall(request.cells), await self.anow()
        if kind is ops.Pause:
            return await asyncio.sleep(request.seconds)
        if self.gate is not None:
            await self.gate.acheck()
        if kind is ops.Together:
            return await self.aperform_all(request.requests)
        return await self.aperform(request)


def _finish(store: Store, finish: ops.Finish, held: ThreadHolds | LoopHolds) -> None:
    store.last_seen.learn(finish.expected, finish.writes)
    held.give_back(finish.hot)


_AT_ONCE: dict[type, Callable[[Store, Any, ThreadHolds | LoopHolds], Any]] = {
    ops.Finish: _finish,
    ops.Recall: lambda store, recall, held: store.last_seen.recall(recall.cells),
    ops.Remember: lambda store, remember, held: store.last_seen.remember(remember.seen),
    ops.Locate: lambda store, locate, held: store.locate(locate.keys),
}
"""What a driver answers without waiting for anything."""
