"""The only two places that talk to the network: one waits in its thread, one in an event loop."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, aclosing, closing, contextmanager
from typing import Any, TypeVar

import httpx

from orchard_client.call import Answer, Call, Content
from orchard_client.errors import OrchardError
from orchard_client.retrying import Attempts
from orchard_client.settings import Server
from orchard_client.steps import Give, Items, Rest, Steps, Taken
from orchard_client.version import __version__

T = TypeVar("T")

TIMEOUT_S = 30.0
CONNECT_S = 10.0


class _Driver:
    """What both have in common: how a call becomes a request."""

    def __init__(self, server: Server, patience_s: float, timeout_s: float) -> None:
        self.server = server
        self._patience_s = patience_s
        self._timeout_s = timeout_s

    def _attempts(self, call: Call[Any]) -> Attempts:
        return Attempts(call, self._patience_s)

    @contextmanager
    def _request(
        self, http: httpx.Client | httpx.AsyncClient, call: Call[Any]
    ) -> Iterator[httpx.Request]:
        with ExitStack() as files:
            timeout_s = self._timeout_s if call.timeout_s is None else call.timeout_s
            timeout = httpx.Timeout(timeout_s + call.wait_s, connect=min(timeout_s, CONNECT_S))
            yield http.build_request(
                call.method, self.server.url + call.path, params=dict(call.query) or None,
                headers=_headers(call), timeout=timeout, **_body(call, files),
            )  # fmt: skip

    def _options(self, verify: ssl.SSLContext | bool, trust_env: bool) -> dict[str, Any]:
        headers = {"User-Agent": f"orchard-client/{__version__}", "Accept": "*/*"}
        if self.server.token:
            headers["Authorization"] = f"Bearer {self.server.token}"
        return {"headers": headers, "verify": verify, "trust_env": trust_env}


class Blocking(_Driver):
    """Makes calls and waits for them; safe to be used by several threads."""

    def __init__(
        self, server: Server, patience_s: float, timeout_s: float = TIMEOUT_S,
        verify: ssl.SSLContext | bool = True, trust_env: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(server, patience_s, timeout_s)
        self._http = httpx.Client(**self._options(verify, trust_env))

    def call(self, call: Call[T], sleep: Callable[[float], object] = time.sleep) -> T:
        """Make a call, as often as it needs and may be made."""
        attempts = self._attempts(call)
        while True:
            try:
                answer = self._transfer(call)
            except httpx.RequestError as fault:
                sleep(attempts.after_fault(fault, self.server.url))
                continue
            rest_s = attempts.after_answer(answer)
            if rest_s is None:
                return call.read(answer)
            sleep(rest_s)

    def run(self, steps: Steps[T], sleep: Callable[[float], object] = time.sleep) -> T:
        """Take steps up to their result."""
        taken = Taken()
        try:
            while True:
                taken = self._take(taken.go_on(steps), sleep)
        except StopIteration as end:
            result: T = end.value
            return result

    def iterate(self, items: Items[T]) -> Iterator[T]:
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
                taken = self._take(step, time.sleep)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _take(self, step: Call[Any] | Rest, sleep: Callable[[float], object]) -> Taken:
        if isinstance(step, Rest):
            sleep(step.seconds)
            return Taken()
        try:
            return Taken(self.call(step, sleep))
        except OrchardError as fault:
            return Taken(fault=fault)

    def _transfer(self, call: Call[Any]) -> Answer:
        with self._request(self._http, call) as request:
            answer = self._http.send(request, stream=True)
            with closing(answer):
                content = Content(call.max_bytes)
                for block in answer.iter_bytes():
                    content.add(block)
        return Answer(answer.status_code, answer.headers, content.whole())


class Awaiting(_Driver):
    """Makes calls in an event loop."""

    def __init__(
        self, server: Server, patience_s: float, timeout_s: float = TIMEOUT_S,
        verify: ssl.SSLContext | bool = True, trust_env: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(server, patience_s, timeout_s)
        self._http = httpx.AsyncClient(**self._options(verify, trust_env))

    async def call(self, call: Call[T]) -> T:
        """Make a call, as often as it needs and may be made."""
        attempts = self._attempts(call)
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
        with self._request(self._http, call) as request:
            answer = await self._http.send(request, stream=True)
            async with aclosing(answer):
                content = Content(call.max_bytes)
                async for block in answer.aiter_bytes():
                    content.add(block)
        return Answer(answer.status_code, answer.headers, content.whole())


def _headers(call: Call[Any]) -> dict[str, str]:
    kind = {} if call.body is None else {"Content-Type": "application/json"}
    return kind | dict(call.headers)


def _body(call: Call[Any], files: ExitStack) -> dict[str, Any]:
    if call.upload is None:
        return {"content": call.body}
    sending = files.enter_context(closing(call.upload.open()))
    return {"files": {"file": (call.upload.name, sending)}, "data": dict(call.form)}
