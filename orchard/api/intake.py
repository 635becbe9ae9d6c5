"""Limits of bodies, held before Django has read one: in front of the whole site.

Django spools a body to the disk before any view is asked. So a body that
announces too much, or sends too much, or comes from a stranger, ends here.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY

from orchard.api.authentication import bearer_of, is_bearer
from orchard.api.body_streams import is_part
from orchard.api.openai_errors import PREFIX, reshaped
from orchard.conf import get_conf

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

UPLOADS = (
    "/submit", "/api/v1/jobs", "/api/v1/schedules", "/ui/schedules/add", "/v1/audio/transcriptions",
)  # fmt: skip
"""Where recordings come in; all other bodies are small."""
FRAMING_BYTES = 1_000_000
"""What a form may need besides its file."""


class Refusal(NamedTuple):
    """An answer instead of a look at the body."""

    status: int
    code: str
    error: str


_UNKNOWN = Refusal(401, "not_authenticated", "Sign in first")


class Intake:
    """An ASGI application that lets only reasonable bodies through to another one."""

    def __init__(self, app: App, upload_max_bytes: int | None = None) -> None:
        self._app = app
        self._upload_max = upload_max_bytes or get_conf().upload_max_bytes
        self._small = settings.DATA_UPLOAD_MAX_MEMORY_SIZE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = {name.lower(): value for name, value in scope["headers"]}
        announced = _announced(headers)
        limit = self._limit(scope)
        if announced is not None and announced > limit:
            return await _answer(send, scope, _too_large(limit))
        may_be = limit if announced is None else announced
        if may_be > self._small and not await sync_to_async(_is_known)(headers):
            return await _answer(send, scope, _UNKNOWN)
        return await _Counted(limit, receive, send).serve(self._app, scope)

    def _limit(self, scope: Scope) -> int:
        is_upload = (scope["method"] == "POST" and scope["path"] in UPLOADS) or is_part(scope)
        return self._upload_max + FRAMING_BYTES if is_upload else self._small


class _Counted:
    """One request whose body is counted while it comes in."""

    def __init__(self, limit: int, receive: Receive, send: Send) -> None:
        self._limit, self._receive, self._send = limit, receive, send
        self._count, self._answered = 0, False

    async def serve(self, app: App, scope: Scope) -> None:
        await app(scope, self._take, self._give)
        if self._count > self._limit and not self._answered:
            await _answer(self._send, scope, _too_large(self._limit))

    async def _take(self) -> Message:
        message = await self._receive()
        self._count += len(message.get("body", b""))
        # To Django it is as if the sender had hung up, so it keeps nothing.
        return {"type": "http.disconnect"} if self._count > self._limit else message

    async def _give(self, message: Message) -> None:
        self._answered = True
        await self._send(message)


def _announced(headers: dict[bytes, bytes]) -> int | None:
    """The length that a request says its body has; none when it comes in pieces."""
    if b"transfer-encoding" in headers:
        return None
    text = headers.get(b"content-length", b"0")
    return int(text) if text.isdigit() and len(text) < 20 else None


def _is_known(headers: dict[bytes, bytes]) -> bool:
    """Whether there is a valid token or a session behind a request."""
    authorization = headers.get(b"authorization", b"")
    if is_bearer(authorization):
        return bearer_of(authorization) is not None
    try:
        cookies = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        return False
    if settings.SESSION_COOKIE_NAME not in cookies:
        return False
    sessions = import_module(settings.SESSION_ENGINE)
    session = sessions.SessionStore(cookies[settings.SESSION_COOKIE_NAME].value)
    return SESSION_KEY in session


def _too_large(limit: int) -> Refusal:
    return Refusal(413, "too_large", f"The body is larger than {limit:,} bytes")


async def _answer(send: Send, scope: Scope, refusal: Refusal) -> None:
    told: dict[str, Any] = {"error": refusal.error, "code": refusal.code}
    if scope["path"].startswith(PREFIX):
        told = reshaped(told, refusal.status)
    body = json.dumps(told).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        # The rest of the body is not wanted.
        (b"connection", b"close"),
    ]
    if refusal.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
