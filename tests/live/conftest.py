"""The stores that live tests run over, and sockets that know who opens them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth.models import AnonymousUser, User

from orchard.live.consumers import LiveConsumer
from orchard.live.feed import get_feed
from orchard.services import engine
from orchard.tokens import forget_bearers
from statecore.store import Store


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """The services and the feed of the test run against this store."""
    store = request.getfixturevalue(f"{request.param}_store")
    before = engine.use(store)
    yield store
    engine.use(before)


@pytest.fixture(autouse=True)
async def _ends(store: Store) -> AsyncIterator[None]:
    """The feed of the test's event loop ends with it, and so do its connections."""
    forget_bearers()
    yield
    await get_feed().close()
    await store.aclose()


class Socket(ApplicationCommunicator):
    """A live socket of a test. (The one of channels wants its own web server installed.)"""

    def __init__(self, query: str, user: Any, headers: list[tuple[bytes, bytes]]) -> None:
        scope = {"type": "websocket", "path": "/ws/live/", "query_string": query.encode()}
        scope |= {"headers": headers, "subprotocols": [], "user": user}
        super().__init__(LiveConsumer.as_asgi(), scope)

    async def open(self) -> Socket:
        await self.send_input({"type": "websocket.connect"})
        assert (await self.receive_output(timeout=30))["type"] == "websocket.accept"
        return self

    async def say(self, **data: Any) -> None:
        await self.send_input({"type": "websocket.receive"} | data)

    async def frame(self) -> dict[str, Any]:
        message = await self.receive_output(timeout=30)
        assert message["type"] == "websocket.send", message
        return json.loads(message["text"])

    async def names_until(self, name: str) -> list[str]:
        """The names of all events up to and with the first of this name."""
        names: list[str] = []
        while name not in names:
            names += [event["name"] for event in (await self.frame()).get("events", [])]
        return names

    async def close_code(self) -> int:
        message = await self.receive_output(timeout=30)
        assert message["type"] == "websocket.close", message
        return message["code"]

    async def disconnect(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(timeout=30)


def socket(topic: str = "fleet", cursor: str = "", *, user: Any = None, token: str = "") -> Socket:
    """A socket as a signed-in person's browser would open it, unless told otherwise."""
    headers = [(b"authorization", f"Bearer {token}".encode())] if token else []
    query = urlencode({"topic": topic, "cursor": cursor})
    who = user or (AnonymousUser() if token else User(username="ann"))
    return Socket(query, who, headers)
