"""The redis store: the scripts of ``lua/`` on Valkey ≥ 7.2 or Redis ≥ 6.2."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from datetime import datetime
from typing import Any

import redis as driver

from statecore.store import ops
from statecore.store.base import Store
from statecore.store.clock import MeasuredClock
from statecore.store.facts import Facts, facts_of, parse_info
from statecore.store.topology import AsyncLinks, Links, driver_errors, translated
from statecore.store.wire import Call, call_for, wait_command

ASYNC_LINKS = 16
"""Requests of one event loop that are on their way at once; tails do not count."""


class RedisStore(Store):
    """A Valkey or Redis server, named by a URL (``redis://``, ``rediss://``, ``unix://``).

    It connects when first asked something, and again after the engine was
    away. A read is asked again once when its answer is lost; a commit or take
    never is, because it may have happened.
    """

    name = "redis"
    clock: MeasuredClock

    def __init__(self, url: str) -> None:
        super().__init__(MeasuredClock())
        self.url = url
        self._links = Links(url)
        self._async_links: dict[asyncio.AbstractEventLoop, AsyncLinks] = {}
        self._guard = threading.Lock()

    def perform(self, request: ops.Request) -> Any:
        """Do one request and return its reply."""
        if isinstance(request, ops.Tail) and request.block_ms > 0:
            return self._tail(request)
        return self._ask(call_for(request, asks_time=self.clock.is_ageing))

    async def aperform(self, request: ops.Request) -> Any:
        """Do one request without blocking the event loop."""
        if isinstance(request, ops.Tail) and request.block_ms > 0:
            return await self._atail(request)
        return await self._aask(call_for(request, asks_time=self.clock.is_ageing))

    def describe(self, *streams: str) -> Facts:
        """What the engine's ``INFO`` says; an engine that must not tell says nothing."""
        with driver_errors():
            lengths = {key: self._links.exchange(["XLEN", key]) for key in streams}
            told: Facts = {"engine": self.name, "streams": lengths}
            if info := self._permitted("INFO"):
                told |= facts_of(parse_info(info))
            if save := self._permitted("CONFIG", "GET", "save"):
                told["snapshots"] = bool(save[1])
        return told

    def _permitted(self, *command: str) -> Any:
        """The answer to a command that managed engines may forbid; nothing when this one does."""
        try:
            return self._links.exchange([*command])
        except driver.ResponseError:
            return None

    def now(self) -> datetime:
        """The server's time; asked for when it was not learned lately."""
        if not self.clock.is_fresh:
            self.read()
        return self.clock.now()

    async def anow(self) -> datetime:
        """The server's time; asked for when it was not learned lately."""
        if not self.clock.is_fresh:
            await self.aread()
        return self.clock.now()

    def close(self) -> None:
        """Close the connections of all threads; blocked tails end."""
        super().close()
        self._links.close()

    async def aclose(self) -> None:
        """Close the connections of the running event loop; blocked tails of it end.

        It also happens by itself when the event loop ends.
        """
        links = self._async_links.pop(asyncio.get_running_loop(), None)
        if links:
            await links.close()

    # -- one call, by its sha, or with its text when the engine does not know it --

    def _ask(self, call: Call) -> Any:
        command, may_repeat = call.command(), call.is_repeatable
        while True:
            sent_us = self.clock.monotonic_us()
            try:
                reply = self._links.exchange(command)
            except driver.exceptions.NoScriptError:
                command = call.full_command()
            except (driver.RedisError, OSError) as error:
                if not (may_repeat and isinstance(error, driver.ConnectionError)):
                    raise translated(error) from error
                may_repeat = False
            else:
                return self._learn(call, reply, sent_us)

    async def _aask(self, call: Call) -> Any:
        command, may_repeat = call.command(), call.is_repeatable
        links = await self._links_of_loop()
        while True:
            sent_us = self.clock.monotonic_us()
            try:
                reply = await links.exchange(command)
            except driver.exceptions.NoScriptError:
                command = call.full_command()
            except (driver.RedisError, OSError) as error:
                if not (may_repeat and isinstance(error, driver.ConnectionError)):
                    raise translated(error) from error
                may_repeat = False
            else:
                return self._learn(call, reply, sent_us)

    def _learn(self, call: Call, reply: list[Any], sent_us: int) -> Any:
        if reply[0]:
            self.clock.learn(reply[0], sent_us, self.clock.monotonic_us())
        return call.decode(reply[1:])

    async def _links_of_loop(self) -> AsyncLinks:
        loop = asyncio.get_running_loop()
        links = self._async_links.get(loop)
        if links is None or links.is_closed:
            with self._guard:
                for ended in [each for each in self._async_links if each.is_closed()]:
                    del self._async_links[ended]
                links = self._async_links[loop] = AsyncLinks(self.url, ASYNC_LINKS)
            await links.open()
        return links

    # -- tail: the blocking read only wakes us; the script says what is new, or gone --

    def _tail(self, tail: ops.Tail) -> ops.Tailed:
        stop = time.monotonic() + tail.block_ms / 1000
        tailed: ops.Tailed = self._ask(call_for(tail))
        while (left := _left(tailed, stop)) > 0:
            try:
                with driver_errors():
                    command = wait_command(tail.key, tailed.cursor, math.ceil(left * 1000))
                    self._links.exchange(command, left)
            except Exception:
                if self._links.is_closed:
                    break
                raise
            tailed = self._ask(call_for(ops.Tail(tail.key, tailed.cursor, tail.limit)))
        return tailed

    async def _atail(self, tail: ops.Tail) -> ops.Tailed:
        stop, links = time.monotonic() + tail.block_ms / 1000, await self._links_of_loop()
        tailed: ops.Tailed = await self._aask(call_for(tail))
        while (left := _left(tailed, stop)) > 0:
            try:
                with driver_errors():
                    command = wait_command(tail.key, tailed.cursor, math.ceil(left * 1000))
                    await links.exchange(command, left)
            except Exception:
                if links.is_closed:
                    break
                raise
            tailed = await self._aask(call_for(ops.Tail(tail.key, tailed.cursor, tail.limit)))
        return tailed


def _left(tailed: ops.Tailed, stop: float) -> float:
    """Seconds left to wait for the first entry."""
    return 0.0 if tailed.entries or tailed.reset else stop - time.monotonic()
