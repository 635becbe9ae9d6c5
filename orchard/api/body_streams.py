"""Bodies that are read as they come: what came of a body that is cut off is not lost.

Django reads the whole of a body before a view is asked, and forgets it when the sender hangs
up. Where recordings come in parts, the view gets the stream itself instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from concurrent.futures import CancelledError, TimeoutError
from typing import Any

from django.http import HttpRequest

from orchard.conf import get_conf

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
App = Callable[[Any, Any, Any], Awaitable[None]]

TUS = "/api/v1/uploads/tus"
STREAM = "orchard.stream"
BLOCK_BYTES = 1 << 16
_OVERRIDE = b"x-http-method-override"
_METHODS = ("PATCH", "DELETE")


class Streams:
    """An ASGI application that leaves the bodies of resumable uploads to their view."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Any) -> None:
        """Serve one request."""
        if not is_part(scope):
            return await self._app(scope, receive, send)
        stream = Stream(receive, asyncio.get_running_loop())
        scope = {**scope, "method": _meant(scope), STREAM: stream}
        await self._app(scope, _Bodiless(), send)


class Stream:
    """A body on its way, for a view in its thread."""

    def __init__(self, receive: Receive, loop: asyncio.AbstractEventLoop) -> None:
        self._receive, self._loop = receive, loop

    def blocks(self, idle_s: float) -> Iterator[bytes]:
        """What comes, until all of it has come, or nothing more does for ``idle_s`` seconds."""
        more = True
        while more:
            waiting = asyncio.run_coroutine_threadsafe(_next(self._receive), self._loop)
            try:
                message = waiting.result(idle_s)
            except (TimeoutError, CancelledError):  # a dead line, or the end of this process
                waiting.cancel()
                return
            more = bool(message.get("more_body"))
            if block := message.get("body"):
                yield block


class _Bodiless:
    """To Django, a request without a body, whose sender never hangs up: its view finds out."""

    def __init__(self) -> None:
        self._asked = False

    async def __call__(self) -> Message:
        if self._asked:
            await asyncio.Event().wait()
        self._asked = True
        return {"type": "http.request", "body": b"", "more_body": False}


def is_part(scope: Scope) -> bool:
    """Whether a request brings a part of a resumable upload, or begins one."""
    path = scope.get("path", "")
    ours = path == TUS or path.startswith(TUS + "/")
    return scope["type"] == "http" and scope["method"] in ("PATCH", "POST") and ours


def blocks_of(request: HttpRequest) -> Iterator[bytes]:
    """The body of a request as it comes; where Django has read it already, what it has read."""
    stream: Stream | None = getattr(request, "scope", {}).get(STREAM)
    if stream is not None:
        return stream.blocks(get_conf().upload_idle_s)
    return iter(lambda: request.read(BLOCK_BYTES), b"")


async def _next(receive: Receive) -> Message:
    return await receive()


def _meant(scope: Scope) -> str:
    """The method that a sender means who can only POST."""
    said = next((value for name, value in scope["headers"] if name.lower() == _OVERRIDE), b"")
    word = said.decode("latin-1").upper()
    return word if scope["method"] == "POST" and word in _METHODS else str(scope["method"])
