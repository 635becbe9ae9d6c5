"""The end of a web process: who waits is answered, and who takes too long is told to come again."""

from __future__ import annotations

import asyncio
import json
from typing import Any

RETRY_AFTER_S = "2"
BODY = {"error": "This server is being restarted; try again in a moment", "code": "restarting"}


class Draining:
    """An ASGI application whose requests, cut off by a shutdown, are answered 503 instead of 500.

    The server cancels what is left when the time is over that requests have to finish.
    """

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        has_begun = False

        async def note(message: Any) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._application(scope, receive, note)
        except asyncio.CancelledError:
            if has_begun:
                raise
            await _say_restarting(send)


async def _say_restarting(send: Any) -> None:
    body = json.dumps(BODY).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", RETRY_AFTER_S.encode()),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})
