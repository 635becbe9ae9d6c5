"""Spans of requests: the upload with which the trace of a job begins, or which goes on with one."""

from __future__ import annotations

from typing import Any

from orchard.tracing import get_spans


def traced(application: Any, paths: tuple[str, ...]) -> Any:
    """The application with spans around its uploads, if this process has traces."""
    return application if get_spans() is None else TracedUploads(application, paths)


class TracedUploads:
    """An ASGI application in front of another one; only uploads are traced, by their paths."""

    def __init__(self, application: Any, paths: tuple[str, ...]) -> None:
        self._application, self._paths = application, paths

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        spans = get_spans()
        is_upload = scope["type"] == "http" and scope["method"] == "POST"
        if spans is None or not is_upload or scope["path"] not in self._paths:
            await self._application(scope, receive, send)
            return
        from orchard.tracing.spans import mark_failed

        route = scope["path"]
        facts = {"http.request.method": "POST", "http.route": route, "url.path": route}
        facts["url.scheme"] = scope.get("scheme", "http")
        parent = _traceparent(scope)
        with spans.open(f"POST {route}", facts, parent=parent, kind="server") as span:

            async def note(message: Any) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        mark_failed(span, str(message["status"]))
                await send(message)

            await self._application(scope, receive, note)


def _traceparent(scope: Any) -> str:
    """What the sender says of its own trace; the job becomes a part of that."""
    found = [value for name, value in scope["headers"] if name.lower() == b"traceparent"]
    return found[0].decode("latin-1") if len(found) == 1 else ""
