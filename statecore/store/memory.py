"""The memory store: dictionaries, with the exact semantics of the engine."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from statecore.store import checks, ops
from statecore.store.base import Store
from statecore.store.clock import Clock
from statecore.store.errors import StoreUnavailable
from statecore.store.facts import Facts
from statecore.store.keyspace import Keyspace
from statecore.store.sortedset import SortedMembers, Stream

T = TypeVar("T")


class MemoryStore(Store):
    """Everything in this process's memory, and gone with it."""

    name = "memory"

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock or Clock())
        self._keys = Keyspace(self.clock)
        self._lock = threading.Lock()
        self._wakers: set[Callable[[], None]] = set()
        self._closed = False

    def perform(self, request: ops.Request) -> Any:
        """Do one request and return its reply."""
        if not isinstance(request, ops.Tail):
            return self._perform_at_once(request)
        wake = threading.Event()
        with self._waking(wake.set):
            request, stop = self._begin_tail(request)
            while True:
                tailed = self._tail_now(request)
                left = stop - time.monotonic()
                if tailed.entries or tailed.reset or left <= 0 or self._closed:
                    return tailed
                self._wait(wake, left)
                wake.clear()

    async def aperform(self, request: ops.Request) -> Any:
        """Do one request; only a tail ever waits, and it does not block the loop."""
        if not isinstance(request, ops.Tail):
            return await self._aside(self._perform_at_once, request)
        wake, loop = asyncio.Event(), asyncio.get_running_loop()
        with self._waking(lambda: _call_soon(loop, wake.set)):
            request, stop = await self._aside(self._begin_tail, request)
            while True:
                tailed = await self._aside(self._tail_now, request)
                left = stop - time.monotonic()
                if tailed.entries or tailed.reset or left <= 0 or self._closed:
                    return tailed
                await self._await(wake, left)
                wake.clear()

    def describe(self, *streams: str) -> Facts:
        """How many keys there are; a store in this process's memory has little else to tell."""
        if self._closed:
            raise StoreUnavailable(f"The {self.name} store is closed")
        with self._opened():
            lengths = {key: len(self._keys.get(key, Stream)) for key in streams}
            return {"engine": self.name, "keys": len(self._keys.names()), "streams": lengths}

    def flush(self) -> None:
        """Forget everything, as ``FLUSHDB`` does."""
        with self._lock:
            self._keys.clear()

    def close(self) -> None:
        """Let blocked tails end; whatever is asked afterwards is refused."""
        super().close()
        self._closed = True
        self._wake_all()

    def _perform_at_once(self, request: ops.Request) -> Any:
        if self._closed:
            raise StoreUnavailable(f"The {self.name} store is closed")
        checks.check(request)
        with self._opened():
            return self._reply(request)

    @contextmanager
    def _opened(self) -> Iterator[None]:
        """The keys as they are at this moment, for this thread alone."""
        with self._lock:
            self._keys.drop_expired()
            yield

    def _reply(self, request: ops.Request) -> Any:
        match request:
            case ops.Read(refs):
                return [self._read(ref) for ref in refs]
            case ops.Commit():
                return self._commit(request)
            case ops.Take():
                return self._take(request)
            case ops.ScanIndex():
                return self._scan(request)
            case _:
                raise TypeError(f"Not a request to a store: {request!r}")

    # -- read -----------------------------------------------------------------

    def _read(self, ref: ops.Ref) -> ops.Value:
        match ref:
            case ops.Key(key):
                return self._keys.find(key, bytes)
            case ops.Field(key, name):
                return self._keys.get(key, dict).get(name)
            case ops.Size(key):
                return b"%d" % len(self._keys.get(key, dict))
            case ops.WholeHash(key):
                return dict(self._keys.get(key, dict))
            case ops.Members(key):
                return frozenset(self._keys.get(key, set))
            case ops.Count(key, low, high):
                first, stop = self._keys.get(key, SortedMembers).bounds(low, high)
                return stop - first
            case ops.Score(key, member):
                return self._keys.get(key, SortedMembers).scores.get(member)

    def _scan(self, scan: ops.ScanIndex) -> list[tuple[str, float]]:
        members = self._keys.get(scan.key, SortedMembers)
        first, stop = members.bounds(scan.low, scan.high)
        if scan.after:
            before, through = members.ranks_around(*scan.after)
            if scan.newest_first:
                stop = min(stop, before)
            else:
                first = max(first, through)
        limit = max(scan.limit, 0)
        if scan.newest_first:
            return members.slice(max(first, stop - limit), stop)[::-1]
        return members.slice(first, min(stop, first + limit))

    # -- write ----------------------------------------------------------------

    def _commit(self, commit: ops.Commit) -> ops.Committed | ops.Conflict:
        for key, kind in checks.required_kinds(commit).items():
            self._keys.require(key, kind)
        current = {cell: self._read(cell) for cell in commit.expected}
        if any(current[cell] != value for cell, value in commit.expected.items()):
            return ops.Conflict(current)  # type: ignore[arg-type]  # cells hold bytes
        for write in commit.writes:
            self._keys.apply(write)
        if any(isinstance(write, ops.Append) for write in commit.writes):
            self._wake_all()
        return ops.Committed()

    def _take(self, take: ops.Take) -> list[str] | list[ops.Taken]:
        if take.count < 1:
            return []
        queue = self._keys.get(take.queue, SortedMembers)
        leases = self._keys.get(take.leases, SortedMembers)
        now_ms, count = self.clock.now_ms(), take.count
        _, due = leases.bounds(float("-inf"), now_ms)
        taken = [member for member, _ in leases.slice(0, min(due, count))]
        waiting = [member for member, _ in queue.slice(0, count) if member not in taken]
        taken += waiting[: count - len(taken)]
        found = [ops.Taken(member, self._beside(member, take)) for member in taken]
        self._keys.apply(ops.SortedRemove(take.queue, tuple(taken)))
        deadlines = dict.fromkeys(taken, float(now_ms + take.ttl_ms))
        self._keys.apply(ops.SortedAdd(take.leases, deadlines))
        return found if take.beside else taken

    def _beside(self, member: str, take: ops.Take) -> tuple[bytes | None, ...]:
        cells = [companion.of(member, take.mark) for companion in take.beside]
        return tuple(self._read(cell) if cell else None for cell in cells)  # type: ignore[misc]

    # -- tail -----------------------------------------------------------------

    def _begin_tail(self, tail: ops.Tail) -> tuple[ops.Tail, float]:
        """The tail with a real cursor, and the monotonic time until which it may wait."""
        checks.check(tail)
        after = tail.after
        if after == "$":
            with self._opened():
                after = str(self._keys.get(tail.key, Stream).last)
        stop = time.monotonic() + tail.block_ms / 1000
        return ops.Tail(tail.key, after, tail.limit, tail.block_ms), stop

    def _tail_now(self, tail: ops.Tail) -> ops.Tailed:
        with self._opened():
            after = checks.cursor(tail.after) if tail.after else None
            return self._keys.get(tail.key, Stream).tail(after, tail.limit)

    def _wait(self, wake: threading.Event, left_s: float) -> None:
        """Wait until there may be something new."""
        wake.wait(left_s)

    async def _await(self, wake: asyncio.Event, left_s: float) -> None:
        """Wait until there may be something new; see :meth:`_wait`."""
        await wait_for_event(wake, left_s)

    async def _aside(self, do: Callable[..., T], *arguments: Any) -> T:
        """Do something that might hold up the event loop; in memory nothing does."""
        return do(*arguments)

    @contextmanager
    def _waking(self, waker: Callable[[], None]) -> Iterator[None]:
        self._wakers.add(waker)
        try:
            yield
        finally:
            self._wakers.discard(waker)

    def _wake_all(self) -> None:
        for waker in tuple(self._wakers):
            waker()


def _call_soon(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(callback)


async def wait_for_event(event: asyncio.Event, timeout_s: float) -> None:
    """Wait until an event is set, or the time is over."""
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        pass
