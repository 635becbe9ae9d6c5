"""Circles: the sockets of one topic that have everything so far, and are told the rest at once.

What a circle is told is made once for all of it: a frame costs a socket one write, and
nothing when nothing of its topic has happened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from orchard.live.frames import Entry, SharedText, make_frame, select
from orchard.live.topics import ALL


class Told(NamedTuple):
    """What somebody hears who had everything: perhaps a frame, and where he stands now."""

    cursor: str
    frame: str = ""
    """Empty: he is to look for himself."""
    reset: bool = False
    """There is too much to tell."""


class Circle:
    """Those who wait for the next of one topic; quiet ones hear now and then that they live."""

    def __init__(self) -> None:
        self.members = 0
        self._waiting: set[asyncio.Future[Told]] = set()
        self._spoke_at = asyncio.get_running_loop().time()

    async def wait(self) -> Told:
        """Wait for what is told next."""
        heard: asyncio.Future[Told] = asyncio.get_running_loop().create_future()
        self._waiting.add(heard)
        try:
            return await heard
        finally:
            self._waiting.discard(heard)

    @property
    def is_waiting(self) -> bool:
        """Whether anybody would hear it."""
        return bool(self._waiting)

    def quiet_s(self) -> float:
        """How long nothing has been told, in seconds."""
        return asyncio.get_running_loop().time() - self._spoke_at

    def tell(self, told: Told) -> None:
        """Tell everybody who waits."""
        self._spoke_at = asyncio.get_running_loop().time()
        waiting, self._waiting = self._waiting, set()
        for heard in waiting:
            if not heard.done():
                heard.set_result(told)


class Circles:
    """The circles of one event loop, by their topics."""

    def __init__(self, quiet_s: float) -> None:
        self._quiet_s = quiet_s
        self._circles: dict[str, Circle] = {}

    @contextmanager
    def joined(self, topic: str) -> Iterator[Circle]:
        """The circle of a topic, which exists as long as it has members."""
        circle = self._circles.setdefault(topic, Circle())
        circle.members += 1
        try:
            yield circle
        finally:
            circle.members -= 1
            if not circle.members:
                del self._circles[topic]

    def tell(self, entries: Sequence[Entry], cursor: str, most: int) -> None:
        """Tell each circle what of these events it follows; others are left alone."""
        for topic, of_topic in self._sort(entries).items():
            circle = self._circles[topic]
            if not circle.is_waiting:
                continue
            shown = select(of_topic, topic)
            too_much = len(of_topic) > most
            circle.tell(Told(cursor, "" if too_much else _shared(cursor, shown), too_much))

    def rouse(self, cursor: str) -> None:
        """Let everybody look for himself, from a cursor on that all of them have reached."""
        for circle in self._circles.values():
            circle.tell(Told(cursor))

    def reassure(self, cursor: str) -> None:
        """Send an empty frame to those who have heard nothing for long."""
        for circle in self._circles.values():
            if circle.quiet_s() >= self._quiet_s:
                circle.tell(Told(cursor, _shared(cursor, ())))

    def _sort(self, entries: Sequence[Entry]) -> dict[str, list[Entry]]:
        found: dict[str, list[Entry]] = {}
        for entry in entries:
            for topic in entry.topics:
                if topic in self._circles:
                    found.setdefault(topic, []).append(entry)
            if entry.topics and ALL in self._circles:
                found.setdefault(ALL, []).append(entry)
        return found


def _shared(cursor: str, shown: Sequence[Entry]) -> SharedText:
    return SharedText(make_frame(cursor, shown))
