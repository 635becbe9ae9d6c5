"""The feed: one tail of the events in each process, and everybody who follows it.

The tail fills a short ring of the latest events. Some ten times a second it beats: what
has come since is told to those who follow it and have everything before, each topic's
frame made once. A follower has nothing but a cursor: one that is behind takes what is new
from the ring, or from the engine when its cursor is older than the ring. So a slow one
costs no memory and never slows another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from weakref import WeakKeyDictionary, WeakValueDictionary

from orchard.live.circles import Circle, Circles, Told
from orchard.live.frames import Entry, SharedText, make_entry, make_frame, select
from orchard.live.pace import Pace
from orchard.live.ring import News, Ring
from orchard.services import EngineAway, arun, queries

RING = 4096
"""How many events a process keeps at hand."""
BATCH = 500
"""Most events read from the engine at once."""
MAX_BEHIND = 2000
"""A follower that has more than this to catch up with is told to read a snapshot."""
QUIET_S, LOOKED_FOR = 15.0, 0.2
"""After so long without news a socket gets an empty frame, so that it knows it is alive;
in steps of a fifth of it the feed looks for such."""
BLOCK_MS = 5_000
LINGER_S = 5.0
"""How long the tail goes on without followers; a page that is reloaded finds it running."""
BACKOFF_S, BACKOFF_MAX_S = 0.2, 3.0


def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


class Feed:
    """The tail of one event loop, started by its first follower and stopped after the last."""

    def __init__(self) -> None:
        self.is_away = False
        self.is_ending = False
        """This process is asked to stop: nobody may wait any longer."""
        self.work_seen = 0
        """Grows whenever a chunk may have become claimable."""
        self.beats = 0
        """Grows whenever somebody who stands elsewhere than most may have something to hear."""
        self._followers = 0
        self._tail: asyncio.Task[None] | None = None
        self._wakers: set[asyncio.Event] = set()
        self._ring = Ring()
        self._shown: str | None = None
        """The cursor up to which everything was told."""
        self._fresh: list[Entry] = []
        """What is to be told with the next beat."""
        self._circles = Circles(QUIET_S)
        self._for_late: WeakValueDictionary[tuple[str, str], SharedText] = WeakValueDictionary()
        """Frames from where some stand to where all were told, as long as they are being sent."""
        self._late = Circle()
        """Those who wait for the beat that lets them catch up."""
        self._pace = Pace(self._beat)
        self._reassuring: asyncio.TimerHandle | None = None

    @contextmanager
    def following(self, topic: str) -> Iterator[Circle]:
        """Keep the tail running, and be told what happens in a topic."""
        with self._kept_running(), self._circles.joined(topic) as circle:
            if self._reassuring is None:
                self._reassure()
            yield circle

    @contextmanager
    def awaiting_work(self) -> Iterator[asyncio.Event]:
        """Keep the tail running; the event is set whenever a chunk may have become claimable."""
        waker = asyncio.Event()
        self._wakers.add(waker)
        try:
            with self._kept_running():
                yield waker
        finally:
            self._wakers.discard(waker)

    @contextmanager
    def _kept_running(self) -> Iterator[None]:
        self._followers += 1
        if self._tail is None or self._tail.done():
            self._tail = asyncio.create_task(self._follow(), name="live feed")
        try:
            yield
        finally:
            self._followers -= 1

    def has_told(self, cursor: str) -> bool:
        """Whether who stands at this cursor has everything that was told so far, and no more."""
        return cursor == self._shown

    async def wait_for_beat(self, since: int) -> None:
        """Wait until there was a beat after that many, not longer than is quiet."""
        if self.beats == since:
            with suppress(TimeoutError):
                async with asyncio.timeout(QUIET_S):
                    await self._late.wait()

    async def news(self, cursor: str) -> News:
        """What happened after a cursor, at most a batch of it; empty when there is nothing.

        Raises:
            EngineAway: the events had to be asked of the engine, and it is away.
        """
        if cursor == self._shown:
            return News([], cursor)
        if self._shown is not None and cursor in self._ring:
            return self._ring.between(cursor, self._shown)
        tailed = await arun(queries.events_after(cursor, limit=BATCH))
        entries = [make_entry(*entry) for entry in tailed.entries]
        return News(entries, tailed.cursor, tailed.reset)

    def tell_behind(self, cursor: str, topic: str) -> Told | None:
        """What who is a little behind is told; ``None`` when that is not in the ring.

        Those who are equally far behind are told by the same frame.
        """
        if self._shown is None or cursor not in self._ring:
            return None
        if frame := self._for_late.get((cursor, topic)):
            return Told(self._shown, frame)
        entries, end, _ = self._ring.between(cursor, self._shown)
        shown = select(entries, topic)
        if len(shown) > MAX_BEHIND:
            return Told(end, reset=True)
        if not shown:
            return Told(end)
        frame = self._for_late[cursor, topic] = SharedText(make_frame(end, shown))
        return Told(end, frame)

    def end_waits(self) -> None:
        """Let everybody who waits for work go with what there is: the process is to stop."""
        self.is_ending = True
        self._wake()

    async def close(self) -> None:
        """End the tail."""
        self._pace.cancel()
        if self._reassuring:
            self._reassuring.cancel()
            self._reassuring = None
        if self._tail:
            self._tail.cancel()
            await asyncio.gather(self._tail, return_exceptions=True)

    async def _follow(self) -> None:
        delay, alone_since = BACKOFF_S, None
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
                alone_since = _loop().time()
            elif _loop().time() - alone_since >= LINGER_S:
                self._ring, self._shown = Ring(), None
                self._forget_fresh()
                return

    async def _read_on(self) -> None:
        if self._shown is None:
            self._start_at(await arun(queries.events_end()))
        block_ms = BLOCK_MS if self._followers else 1_000
        tailed = await arun(
            queries.events_after(self._ring.head, block_ms=block_ms, limit=BATCH)
        )  # fmt: skip
        self._set_away(False)
        if tailed.reset:
            self._start_at(tailed.cursor)
        elif tailed.entries:
            self._append([make_entry(*entry) for entry in tailed.entries])

    def _start_at(self, cursor: str) -> None:
        """Begin an empty ring; followers with older cursors will ask the engine."""
        before, self._ring, self._shown = self._shown, Ring(cursor), cursor
        self._forget_fresh()
        self._circles.rouse(cursor if before is None else before)
        self._let_late_look()
        self.work_seen += 1
        self._wake()

    def _append(self, entries: list[Entry]) -> None:
        self._ring.append(entries, RING)
        self._fresh += entries
        if any(entry.offers_work for entry in entries):
            self.work_seen += 1
            self._wake()
        self._pace.want()

    def _beat(self) -> None:
        fresh, self._fresh = self._fresh, []
        self._shown = self._ring.head
        self._circles.tell(fresh, self._shown, MAX_BEHIND)
        self._let_late_look()

    def _let_late_look(self) -> None:
        self.beats += 1
        self._for_late.clear()
        self._late.tell(Told(self._ring.head))

    def _forget_fresh(self) -> None:
        self._fresh = []
        self._pace.cancel()

    def _reassure(self) -> None:
        self._reassuring = None
        if self._shown is not None:
            self._circles.reassure(self._shown)
        if self._followers:
            self._reassuring = _loop().call_later(QUIET_S * LOOKED_FOR, self._reassure)

    def _set_away(self, is_away: bool) -> None:
        if self.is_away != is_away:
            self.is_away = is_away
            if self._shown is not None:
                self._circles.rouse(self._shown)
            self._let_late_look()

    def _wake(self) -> None:
        for waker in self._wakers:
            waker.set()


_feeds: WeakKeyDictionary[asyncio.AbstractEventLoop, Feed] = WeakKeyDictionary()


def get_feed() -> Feed:
    """The feed of the running event loop; a web process has one loop, so one feed."""
    loop = asyncio.get_running_loop()
    found = _feeds.get(loop)
    if found is None:
        found = _feeds[loop] = Feed()
    return found


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
    with feed.awaiting_work() as waker:
        while feed.work_seen == since and (left := stop - loop.time()) > 0 and not feed.is_ending:
            await _wait(waker, left)
            waker.clear()
    return feed.work_seen != since


async def _wait(waker: asyncio.Event, timeout_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await waker.wait()
