"""Following: the frames of one socket, from the cursor of its page on, at its own pace."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from orchard.domain.errors import InvalidInput
from orchard.live import feed as feeds
from orchard.live.circles import Told
from orchard.live.feed import Feed, get_feed
from orchard.live.frames import AWAY, BACK, RESET, Entry, make_frame, select
from orchard.live.pace import FRAME_S
from orchard.live.ring import News
from orchard.live.topics import belongs
from orchard.services import EngineAway


async def frames(topic: str, cursor: str) -> AsyncIterator[str]:
    """Frames for one socket from a cursor on, at its own pace; ends after a ``reset``.

    Nothing that changes a state is left out between the cursor and the end.
    """
    feed, was_away, spoke_at = get_feed(), False, time.monotonic() - FRAME_S
    with feed.following(topic) as circle:
        while True:
            beats = feed.beats
            if feed.is_away != was_away:
                was_away = feed.is_away
                yield AWAY if was_away else BACK
                continue
            if feed.has_told(cursor):
                told = await circle.wait()
            else:
                await asyncio.sleep(max(0.0, spoke_at + FRAME_S - time.monotonic()))
                told = await _catch_up(feed, cursor, topic)
            if told.reset:
                yield RESET
                return
            moved, cursor = told.cursor != cursor, told.cursor
            if told.frame:
                yield told.frame
                spoke_at = time.monotonic()
            elif not moved and not feed.has_told(cursor):
                await feed.wait_for_beat(beats)
                if time.monotonic() - spoke_at >= feeds.QUIET_S:
                    yield make_frame(cursor, ())
                    spoke_at = time.monotonic()


async def _catch_up(feed: Feed, cursor: str, topic: str) -> Told:
    """All that is new of a topic, in as many reads as it takes; a reset when it is too much."""
    if told := feed.tell_behind(cursor, topic):
        return told
    entries: list[Entry] = []
    while True:
        try:
            news = await feed.news(cursor)
        except EngineAway:
            news = News([], cursor)
        except InvalidInput:  # a page from another engine, or from another time
            return Told(cursor, reset=True)
        entries += (entry for entry in news.entries if belongs(entry.topics, topic))
        if news.reset or len(entries) > feeds.MAX_BEHIND:
            return Told(news.cursor, reset=True)
        if news.cursor == cursor:
            shown = select(entries, topic)
            return Told(cursor, make_frame(cursor, shown) if shown else "")
        cursor = news.cursor
