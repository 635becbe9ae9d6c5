"""The feed: one tail of the events in each process, and everybody who follows it.

The tail fills a short ring of the latest events. A follower has nothing but a
cursor: it takes what is new from the ring, or from the engine when its cursor
is older than the ring. So a slow one costs no memory and never slows another.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from typing import NamedTuple
from weakref import WeakKeyDictionary

from orchard.domain.errors import InvalidInput
from orchard.live.frames import AWAY, BACK, RESET, Entry, make_entry, make_frame, select
from orchard.live.topics import belongs
from orchard.services import EngineAway, arun, queries

RING = 4096
"""How many events a process keeps at hand."""
BATCH = 500
"""Most events read from the engine at once."""
MAX_BEHIND = 2000
"""A follower that has more than this to catch up with is told to read a snapshot."""
FRAME_S = 0.1
"""Least time between two frames to one socket: ten a second are all that an eye can use."""
QUIET_S = 15.0
"""After so long without news a socket gets an empty frame, so that it knows it is alive."""
BLOCK_MS = 5_000
LINGER_S = 5.0
"""How long the tail goes on without followers; a page that is reloaded finds it running."""
BACKOFF_S, BACKOFF_MAX_S = 0.2, 3.0


class News(NamedTuple):
    """What there is after a cursor."""

    entries: list[Entry]
    cursor: str
    reset: bool = False


class Feed:
    """The tail of one event loop, started by its first follower and stopped after the last."""

    def __init__(self) -> None:
        self.is_away = False
        self.is_ending = False
        """This process is asked to stop: nobody may wait any longer."""
        self.work_seen = 0
        """Grows whenever a chunk may have become claimable."""
        self._followers = 0
        self._tail: asyncio.Task[None] | None = None
        self._wakers: set[asyncio.Event] = set()
        self._ring: dict[str, Entry | None] = {}
        self._head = ""

    @contextmanager
    def following(self) -> Iterator[asyncio.Event]:
        """Keep the tail running; the event is set whenever something has changed."""
        waker = asyncio.Event()
        self._followers += 1
        self._wakers.add(waker)
        if self._tail is None or self._tail.done():
            self._tail = asyncio.create_task(self._follow(), name="live feed")
        try:
            yield waker
        finally:
            self._followers -= 1
            self._wakers.discard(waker)

    async def news(self, cursor: str) -> News:
        """What happened after a cursor, at most a batch of it; empty when there is nothing.

        Raises:
            EngineAway: the events had to be asked of the engine, and it is away.
        """
        if cursor == self._head:
            return News([], cursor)
        if cursor in self._ring:
            return self._from_ring(cursor)
        tailed = await arun(queries.events_after(cursor, limit=BATCH))
        entries = [make_entry(*entry) for entry in tailed.entries]
        return News(entries, tailed.cursor, tailed.reset)

    def end_waits(self) -> None:
        """Let everybody who waits for work go with what there is: the process is to stop."""
        self.is_ending = True
        self._wake()

    async def close(self) -> None:
        """End the tail."""
        if self._tail:
            self._tail.cancel()
            await asyncio.gather(self._tail, return_exceptions=True)

    def _from_ring(self, cursor: str) -> News:
        # Newest entries stand last, and most followers are close behind: walk back from there.
        newer = []
        for at, entry in reversed(self._ring.items()):
            if at == cursor:
                break
            if entry:
                newer.append(entry)
        newer.reverse()
        return News(newer, self._head)

    async def _follow(self) -> None:
        delay, alone_since = BACKOFF_S, None
        loop = asyncio.get_running_loop()
        while True:
            try:
                await self._read_on()
                delay = BACKOFF_S
            except EngineAway:
                self._set_away(True)
                await asyncio.sleep(delay)
                delay = min(delay * 2, BACKOFF_MAX_S)
            if self._followers:
                alone_since = None
            elif alone_since is None:
                alone_since = loop.time()
            elif loop.time() - alone_since >= LINGER_S:
                self._ring, self._head = {}, ""
                return

    async def _read_on(self) -> None:
        if not self._head:
            self._start_at(await arun(queries.events_end()))
        block_ms = BLOCK_MS if self._followers else 1_000
        tailed = await arun(queries.events_after(self._head, block_ms=block_ms, limit=BATCH))
        self._set_away(False)
        if tailed.reset:
            self._start_at(tailed.cursor)
        elif tailed.entries:
            self._append([make_entry(*entry) for entry in tailed.entries])

    def _start_at(self, cursor: str) -> None:
        """Begin an empty ring; followers with older cursors will ask the engine."""
        self._ring, self._head = {cursor: None}, cursor
        self.work_seen += 1
        self._wake()

    def _append(self, entries: list[Entry]) -> None:
        self._ring |= {entry.cursor: entry for entry in entries}
        self._head = entries[-1].cursor
        for old in list(islice(self._ring, max(0, len(self._ring) - RING))):
            del self._ring[old]
        self.work_seen += any(entry.offers_work for entry in entries)
        self._wake()

    def _set_away(self, is_away: bool) -> None:
        if self.is_away != is_away:
            self.is_away = is_away
            self._wake()

    def _wake(self) -> None:
        for waker in self._wakers:
            waker.set()


_feeds: WeakKeyDictionary[asyncio.AbstractEventLoop, Feed] = WeakKeyDictionary()


def get_feed() -> Feed:
    """The feed of the running event loop; a web process has one loop, so one feed."""
    return _feeds.setdefault(asyncio.get_running_loop(), Feed())


async def frames(topic: str, cursor: str) -> AsyncIterator[str]:
    """Frames for one socket from a cursor on, at its own pace; ends after a ``reset``.

    Nothing that changes a state is left out between the cursor and the end.
    """
    feed, was_away = get_feed(), False
    loop = asyncio.get_running_loop()
    with feed.following() as waker:
        spoke_at = loop.time()
        while True:
            waker.clear()
            if feed.is_away != was_away:
                was_away = feed.is_away
                yield AWAY if was_away else BACK
            news = await _catch_up(feed, cursor, topic)
            if news.reset:
                yield RESET
                return
            moved, cursor = news.cursor != cursor, news.cursor
            shown = select(news.entries, topic)
            if shown or loop.time() - spoke_at >= QUIET_S:
                yield make_frame(cursor, shown)
                spoke_at = loop.time()
                await asyncio.sleep(FRAME_S)
            if not moved:
                await _wait(waker, QUIET_S)


def work_heard() -> int:
    """A count that grows when a chunk may have become claimable; take it before you claim."""
    return get_feed().work_seen


async def wait_for_work(timeout_s: float, since: int | None = None) -> bool:
    """Wait until a chunk may be claimable that was not when the count was ``since``.

    False after ``timeout_s``, or when the process is to stop. Leases and rests that
    run out make no event, so whoever waits looks again now and then even so.
    """
    feed, loop = get_feed(), asyncio.get_running_loop()
    since = feed.work_seen if since is None else since
    stop = loop.time() + timeout_s
    with feed.following() as waker:
        while feed.work_seen == since and (left := stop - loop.time()) > 0 and not feed.is_ending:
            await _wait(waker, left)
            waker.clear()
    return feed.work_seen != since


async def _catch_up(feed: Feed, cursor: str, topic: str) -> News:
    """All that is new of a topic, in as many reads as it takes; a reset when it is too much."""
    entries: list[Entry] = []
    while True:
        try:
            news = await feed.news(cursor)
        except EngineAway:
            return News(entries, cursor)
        except InvalidInput:  # a page from another engine, or from another time
            return News([], cursor, reset=True)
        entries += (entry for entry in news.entries if belongs(entry.topics, topic))
        if news.reset or len(entries) > MAX_BEHIND:
            return News([], news.cursor, reset=True)
        if news.cursor == cursor:
            return News(entries, cursor)
        cursor = news.cursor


async def _wait(waker: asyncio.Event, timeout_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await waker.wait()
