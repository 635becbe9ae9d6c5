"""The live socket: it forwards the frames of one topic, from the cursor of the page on."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.contrib.auth.models import User

from orchard.live import feed, following
from orchard.live.straight import SEND
from orchard.live.topics import check_topic, scopes_of
from orchard.services import EngineAway, arun, queries
from orchard.tokens import find_bearer

logger = logging.getLogger(__name__)

CURSOR_MAX = 4_000
"""A cursor holds a position for each partition of the engine."""
CHECK_S = 10.0
"""How long a socket may go on unasked after its person was shut out, or its token revoked."""
ANONYMOUS, FORBIDDEN, BAD_REQUEST, RESET, FAULT = 4401, 4403, 4400, 4410, 1011
"""Why we close a socket; a browser sees codes only of sockets that were opened first."""


class LiveConsumer(AsyncJsonWebsocketConsumer):
    """``ws/live/?topic=…&cursor=…``; without a cursor it begins now.

    The topics are those of :mod:`orchard.live.topics`.
    """

    _pump: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Let readers in and start to forward; close with the reason otherwise."""
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        topic, cursor = query.get("topic", [""])[0], query.get("cursor", [""])[0]
        await self.accept()
        if refusal := await self._refusal(topic, cursor):
            await self.close(refusal)
            return
        self._pump = asyncio.create_task(self._forward(topic, cursor))

    async def disconnect(self, code: int) -> None:
        """Stop forwarding."""
        if self._pump and self._pump is not asyncio.current_task():
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)

    async def receive(self, text_data: Any = None, bytes_data: Any = None, **kwargs: Any) -> None:
        """Take no notice: whoever follows has nothing to say."""

    async def _refusal(self, topic: str, cursor: str) -> int | None:
        if not check_topic(topic) or len(cursor) > CURSOR_MAX:
            return BAD_REQUEST
        user = self.scope.get("user")
        if user is not None and user.is_authenticated:
            return None
        headers = dict(self.scope["headers"])
        kind, _, secret = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if kind.lower() != "bearer":
            return ANONYMOUS
        bearer = await database_sync_to_async(find_bearer)(secret.strip())
        if bearer is None:
            return ANONYMOUS
        return None if any(map(bearer.may, scopes_of(topic))) else FORBIDDEN

    async def _shut_out(self) -> int | None:
        """Why a person who could look may do so no longer; the session was asked at the door."""
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            return None  # a token, which is looked up anew each time
        is_in = await User.objects.filter(pk=user.pk, is_active=True).aexists()
        return None if is_in else ANONYMOUS

    async def _forward(self, topic: str, cursor: str) -> None:
        code, checked_at = FAULT, time.monotonic()
        send = self.scope.get(SEND, self.base_send)
        try:
            async for frame in following.frames(topic, cursor or await _end()):
                if time.monotonic() - checked_at >= CHECK_S:
                    if refusal := await self._refusal(topic, cursor) or await self._shut_out():
                        await self.close(refusal)
                        return
                    checked_at = time.monotonic()
                # Sending waits while the socket is slow; events gather in the feed's ring.
                await send({"type": "websocket.send", "text": frame})
            code = RESET
        except OSError:
            return  # the browser has gone while it was being told something
        except Exception:
            logger.exception("The live socket of %s ended", topic)
        await self.close(code)


async def _end() -> str:
    """The cursor of now, as soon as the engine can tell it."""
    while True:
        try:
            return await arun(queries.events_end())
        except EngineAway:
            await asyncio.sleep(feed.BACKOFF_S)
