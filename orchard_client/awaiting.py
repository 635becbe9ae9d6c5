"""Talks to the network in an event loop."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, TypeVar

import httpx

from orchard_client.call import Answer, Call, Content
from orchard_client.driving import TIMEOUT_S, Driver
from orchard_client.errors import OrchardError
from orchard_client.settings import Server
from orchard_client.steps import Give, Items, Rest, Steps, Taken

T = TypeVar("T")


class Awaiting(Driver):
    """Makes calls in an event loop."""

    def __init__(
        self, server: Server, patience_s: float, timeout_s: float = TIMEOUT_S,
        verify: ssl.SSLContext | bool = True, trust_env: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(server, patience_s, timeout_s)
        self._http = httpx.AsyncClient(**self.options(verify, trust_env))

    async def call(self, call: Call[T]) -> T:
        """Make a call, as often as it needs and may be made."""
        attempts = self.attempts(call)
        while True:
            try:
                answer = await self._transfer(call)
            except httpx.RequestError as fault:
                await asyncio.sleep(attempts.after_fault(fault, self.server.url))
                continue
            rest_s = attempts.after_answer(answer)
            if rest_s is None:
                return call.read(answer)
            await asyncio.sleep(rest_s)

    async def run(self, steps: Steps[T]) -> T:
        """Take steps up to their result."""
        taken = Taken()
        try:
            while True:
                taken = await self._take(taken.go_on(steps))
        except StopIteration as end:
            result: T = end.value
            return result

    async def iterate(self, items: Items[T]) -> AsyncIterator[T]:
        """Take steps as items are wanted."""
        taken = Taken()
        while True:
            try:
                step = taken.go_on(items)
            except StopIteration:
                return
            if isinstance(step, Give):
                taken = Taken()
                yield step.item
            else:
                taken = await self._take(step)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _take(self, step: Call[Any] | Rest) -> Taken:
        if isinstance(step, Rest):
            await asyncio.sleep(step.seconds)
            return Taken()
        try:
            return Taken(await self.call(step))
        except OrchardError as fault:
            return Taken(fault=fault)

    async def _transfer(self, call: Call[Any]) -> Answer:
        with self.request(self._http, call) as request:
            answer = await self._http.send(request, stream=True)
            async with aclosing(answer):
                content = Content(call.max_bytes)
                async for block in answer.aiter_bytes():
                    content.add(block)
        return Answer(answer.status_code, answer.headers, content.whole())
