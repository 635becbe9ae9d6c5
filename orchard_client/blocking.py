"""Talks to the network, and waits for it in its thread."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, TypeVar

import httpx

from orchard_client.call import Answer, Call, Content
from orchard_client.driving import TIMEOUT_S, Driver
from orchard_client.errors import OrchardError
from orchard_client.settings import Server
from orchard_client.steps import Give, Items, Rest, Steps, Taken

T = TypeVar("T")


class Blocking(Driver):
    """Makes calls and waits for them; safe to be used by several threads."""

    def __init__(
        self, server: Server, patience_s: float, timeout_s: float = TIMEOUT_S,
        verify: ssl.SSLContext | bool = True, trust_env: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(server, patience_s, timeout_s)
        self._http = httpx.Client(**self.options(verify, trust_env))

    def call(self, call: Call[T], sleep: Callable[[float], object] = time.sleep) -> T:
        """Make a call, as often as it needs and may be made."""
        attempts = self.attempts(call)
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
        with self.request(self._http, call) as request:
            answer = self._http.send(request, stream=True)
            with closing(answer):
                content = Content(call.max_bytes)
                for block in answer.iter_bytes():
                    content.add(block)
        return Answer(answer.status_code, answer.headers, content.whole())
