"""The straight way to a socket: past what only the answers of HTTP need."""

from __future__ import annotations

from typing import Any

SEND = "orchard.send"


class Straight:
    """An ASGI application whose sockets may send without asking the session at each frame.

    The session's middleware looks whether there is a cookie to set, whatever is sent.
    """

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a socket."""
        await self._application({**scope, SEND: send}, receive, send)
