"""The redis store: the scripts of ``lua/`` on Valkey ≥ 7.2 or Redis ≥ 6.2."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import redis as driver

from statecore.store import ops
from statecore.store.addresses import Address
from statecore.store.asking import Asking
from statecore.store.async_links import AsyncLinks
from statecore.store.base import Store
from statecore.store.clock import MeasuredClock
from statecore.store.errors import EngineRefuses, StoreUnavailable
from statecore.store.exchanges import NotSent, pack
from statecore.store.facts import Facts, facts_of, gathered, parse_info
from statecore.store.links import Links
from statecore.store.proofs import as_read, read_again
from statecore.store.refusals import refuse_language, refuse_role
from statecore.store.translation import driver_errors
from statecore.store.wire import Call, call_for, wait_command

LISTEN_S = 5.0
"""So long at most a tail waits at a server that another may replace. Who waits at one that has
become a replica is not woken by what that is filled with anew."""


class RedisStore(Asking, Store):
    """Valkey or Redis: one server, the primary that sentinels name, or a cluster.

    It is named by an address or its URL (``address_urls``). It connects when first
    asked something, and again after the engine was away.
    """

    name = "redis"
    clock: MeasuredClock

    def __init__(self, where: str | Address) -> None:
        clock = MeasuredClock()
        Store.__init__(self, clock)
        Asking.__init__(self, where, clock)
        self._longest_wait_s = LISTEN_S if self._routes else math.inf

    def perform(self, request: ops.Request) -> Any:
        """Do one request and return its reply."""
        if isinstance(request, ops.Tail) and request.block_ms > 0:
            return self._tail(request)
        reply = self._ask(self._call(request))
        if self._replicates and isinstance(reply, ops.Conflict):
            return as_read(reply, self.perform(read_again(reply)))
        return reply

    async def aperform(self, request: ops.Request) -> Any:
        """Do one request without blocking the event loop."""
        if isinstance(request, ops.Tail) and request.block_ms > 0:
            return await self._atail(request)
        reply = await self._aask(self._call(request))
        if self._replicates and isinstance(reply, ops.Conflict):
            return as_read(reply, await self.aperform(read_again(reply)))
        return reply

    def perform_all(self, requests: Sequence[ops.Request]) -> list[Any]:
        """Do requests that need not wait for each other, at once where there is one server."""
        links = self._links
        if self._replicates or not isinstance(links, Links):
            return super().perform_all(requests)
        calls, sent_us = list(map(self._call, requests)), self.clock.monotonic_us()
        try:
            answers = links.exchange_all(_packed(calls), len(calls))
        except NotSent as fault:
            raise self._explained(fault.reason) from fault.reason
        except (driver.RedisError, OSError) as error:
            raise self._explained(error) from error
        return [
            self._ask(call) if _is_unknown(answer) else self._told(call, answer, sent_us)
            for call, answer in zip(calls, answers, strict=True)
        ]

    async def aperform_all(self, requests: Sequence[ops.Request]) -> list[Any]:
        """The same as :meth:`perform_all`, without blocking the event loop."""
        links = await self._links_of_loop()
        if self._replicates or not isinstance(links, AsyncLinks):
            return await super().aperform_all(requests)
        calls, sent_us = list(map(self._call, requests)), self.clock.monotonic_us()
        try:
            answers = await links.exchange_all(_packed(calls), len(calls))
        except NotSent as fault:
            raise self._explained(fault.reason) from fault.reason
        except (driver.RedisError, OSError) as error:
            raise self._explained(error) from error
        return [
            await self._aask(call) if _is_unknown(answer) else self._told(call, answer, sent_us)
            for call, answer in zip(calls, answers, strict=True)
        ]

    def check(self) -> None:
        """Ask the engine for something, so that a wrong setting is told at start.

        Raises:
            EngineRefuses: it is there, and a setting is wrong.
            StoreUnavailable: it is not there now.
        """
        try:
            self.read()
            (_, role), *_ = self._links.exchange_everywhere(["ROLE"])
        except EngineRefuses:
            raise
        except StoreUnavailable:
            refuse_language(self.address)
            raise
        info = self._permitted("INFO", "cluster")
        name = b"" if isinstance(role, Exception) else role[0]
        refuse_role(self.address, name, info[0] if info else b"")

    def describe(self, *streams: str) -> Facts:
        """What the engine's ``INFO`` says; an engine that must not tell says nothing."""
        with driver_errors():
            lengths = {
                key: self._links.exchange(["XLEN", key], keys=(key,), repeats=True)
                for key in streams
            }
            told: Facts = {"engine": self.name, "streams": lengths}
            told |= gathered([facts_of(parse_info(info)) for info in self._permitted("INFO")])
            if saves := self._permitted("CONFIG", "GET", "save"):
                told["snapshots"] = any(save[1] for save in saves)
        return told

    def _permitted(self, *command: str) -> list[Any]:
        """The primaries' answers to a command; of managed engines, those that do not forbid it."""
        answers = self._links.exchange_everywhere([*command])
        return [each for _, each in answers if not isinstance(each, Exception)]

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

    # -- tail: the blocking read only wakes us; the script says what is new, or gone --

    def _tail(self, tail: ops.Tail) -> ops.Tailed:
        stop = time.monotonic() + tail.block_ms / 1000
        tailed: ops.Tailed = self._ask(call_for(tail))
        while (left := _left(tailed, stop)) > 0:
            try:
                with driver_errors():
                    wait_s = min(left, self._longest_wait_s)
                    command = wait_command(tail.key, tailed.cursor, math.ceil(wait_s * 1000))
                    self._links.exchange(command, wait_s, (tail.key,))
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
                    wait_s = min(left, self._longest_wait_s)
                    command = wait_command(tail.key, tailed.cursor, math.ceil(wait_s * 1000))
                    await links.exchange(command, wait_s, (tail.key,))
            except Exception:
                if links.is_closed:
                    break
                raise
            tailed = await self._aask(call_for(ops.Tail(tail.key, tailed.cursor, tail.limit)))
        return tailed


def _left(tailed: ops.Tailed, stop: float) -> float:
    """Seconds left to wait for the first entry."""
    return 0.0 if tailed.entries or tailed.reset else stop - time.monotonic()


def _packed(calls: Sequence[Call]) -> bytes:
    return b"".join(pack(call.command()) for call in calls)


def _is_unknown(answer: Any) -> bool:
    """Whether the engine does not know the script, and nothing was done."""
    return isinstance(answer, driver.exceptions.NoScriptError)
