"""Asking an engine: a call goes out, and its answer, or what went wrong, comes back."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import redis as driver

from statecore.store import ops
from statecore.store.address_urls import parse_address
from statecore.store.addresses import Address, Durability
from statecore.store.clock import MeasuredClock
from statecore.store.errors import NotReplicated, StoreError
from statecore.store.proofs import is_proof, proved
from statecore.store.refusals import refusal
from statecore.store.routed import AnyAsyncLinks, open_async_links, open_links, routes_to
from statecore.store.translation import translated
from statecore.store.wire import Call, call_for

ASYNC_LINKS = 16
"""Requests of one event loop that are on their way at once; tails do not count."""


class Asking:
    """The connections to an engine, and how one call is done over them.

    A read is asked again when its answer is lost; a commit or take never is, because it
    may have happened. Only what a server says it did not do is asked of another, or later.
    """

    def __init__(self, where: str | Address, clock: MeasuredClock) -> None:
        self.clock = clock
        self.url = where if isinstance(where, str) else ""
        self.address = parse_address(where) if isinstance(where, str) else where
        self._routes = routes_to(self.address)
        self._links = open_links(self.address, self._routes)
        self._replicates = self.address.durability is Durability.REPLICATED
        self._async_links: dict[asyncio.AbstractEventLoop, AnyAsyncLinks] = {}
        self._guard = threading.Lock()

    def async_links(self, at_once: int) -> AnyAsyncLinks:
        """New links of an event loop to this engine, to be opened in it, and closed."""
        return open_async_links(self.address, self._routes, at_once)

    def _explained(self, error: Exception) -> StoreError:
        return refusal(self.address, error) or translated(error)

    # -- one call, by its sha, or with its text when the engine does not know it --

    def _call(self, request: ops.Request) -> Call:
        call = call_for(request, asks_time=self.clock.is_ageing)
        is_proved = self._replicates and is_proof(request)
        return proved(call, self.address) if is_proved else call

    def _ask(self, call: Call) -> Any:
        command, keys, repeats = call.command(), tuple(call.keys), call.is_repeatable
        replicate = self._replicates and call.is_for_replicas
        may_ask_again = repeats and not self._links.asks_again
        while True:
            sent_us = self.clock.monotonic_us()
            try:
                reply = self._links.exchange(command, 0.0, keys, repeats, replicate)
            except driver.exceptions.NoScriptError:
                command = call.full_command()
            except NotReplicated as fault:
                return self._judge(call, fault, sent_us)
            except (driver.RedisError, OSError) as error:
                if not (may_ask_again and isinstance(error, driver.ConnectionError)):
                    raise self._explained(error) from error
                may_ask_again = False
            else:
                return self._learn(call, reply, sent_us)

    async def _aask(self, call: Call) -> Any:
        command, keys, repeats = call.command(), tuple(call.keys), call.is_repeatable
        replicate = self._replicates and call.is_for_replicas
        may_ask_again = repeats and not self._links.asks_again
        links = await self._links_of_loop()
        while True:
            sent_us = self.clock.monotonic_us()
            try:
                reply = await links.exchange(command, 0.0, keys, repeats, replicate)
            except driver.exceptions.NoScriptError:
                command = call.full_command()
            except NotReplicated as fault:
                return self._judge(call, fault, sent_us)
            except (driver.RedisError, OSError) as error:
                if not (may_ask_again and isinstance(error, driver.ConnectionError)):
                    raise self._explained(error) from error
                may_ask_again = False
            else:
                return self._learn(call, reply, sent_us)

    def _judge(self, call: Call, fault: NotReplicated, sent_us: int) -> Any:
        """A reply that no replica confirmed is as good as one that wrote nothing.

        Raises:
            NotReplicated: it wrote something.
        """
        reply = self._learn(call, fault.reply, sent_us)
        if isinstance(reply, ops.Conflict) or reply == []:
            return reply
        raise fault

    def _told(self, call: Call, answer: Any, sent_us: int) -> Any:
        """What one answer of several says.

        Raises:
            StoreError: it is an error.
        """
        if isinstance(answer, Exception):
            raise self._explained(answer) from answer
        return self._learn(call, answer, sent_us)

    def _learn(self, call: Call, reply: Any, sent_us: int) -> Any:
        if reply[0]:
            self.clock.learn(reply[0], sent_us, self.clock.monotonic_us())
        return call.decode(reply[1:])

    async def _links_of_loop(self) -> AnyAsyncLinks:
        loop = asyncio.get_running_loop()
        links = self._async_links.get(loop)
        if links is None or links.is_closed:
            with self._guard:
                for ended in [each for each in self._async_links if each.is_closed()]:
                    del self._async_links[ended]
                links = self._async_links[loop] = self.async_links(ASYNC_LINKS)
            await links.open()
        return links
