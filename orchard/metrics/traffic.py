"""What this web process does: requests by route and status, how long they take, open sockets."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import cache
from inspect import iscoroutinefunction
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Others are counted as one, so that nobody can make up new series."""
NO_ROUTE = "none"
"""The route of static files, and of addresses that there are not."""
BUCKETS_S = (0.005, 0.025, 0.1, 0.5, 2.0, 10.0, 30.0)

# When each series began would double what is told, and nobody asks for it.
disable_created_metrics()  # type: ignore[no-untyped-call]
own = CollectorRegistry()
"""The figures of this process alone."""
requests = Counter(
    "orchard_http_requests", "Requests that this process answered",
    ("route", "method", "status"), registry=own,
)  # fmt: skip
durations = Histogram(
    "orchard_http_request_duration_seconds", "Time until an answer began; long polls wait in it",
    ("route", "method"), registry=own, buckets=BUCKETS_S,
)  # fmt: skip
sockets = Gauge("orchard_live_sockets", "Live sockets that are open", registry=own)

Answering = Callable[[HttpRequest], Any]


@sync_and_async_middleware
def count_requests(get_response: Answering) -> Answering:
    """Count every request that Django answers."""
    if iscoroutinefunction(get_response):

        async def answer_later(request: HttpRequest) -> HttpResponseBase:
            began = time.perf_counter()
            answer: HttpResponseBase = await get_response(request)
            _note(request, answer, began)
            return answer

        return answer_later

    def answer_now(request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        answer: HttpResponseBase = get_response(request)
        _note(request, answer, began)
        return answer

    return answer_now


class CountedSockets:
    """An ASGI application whose connections are counted while they last."""

    def __init__(self, application: Callable[[Any, Any, Any], Awaitable[Any]]) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        with sockets.track_inprogress():
            await self._application(scope, receive, send)


def _note(request: HttpRequest, answer: HttpResponseBase, began: float) -> None:
    match = getattr(request, "resolver_match", None)
    route = f"/{match.route}" if match else NO_ROUTE
    method = request.method if request.method in METHODS else "other"
    counter, histogram = _series(route, method, answer.status_code)
    counter.inc()
    histogram.observe(time.perf_counter() - began)


@cache  # routes, methods and states are few, and looking them up is most of the work
def _series(route: str, method: str, status: int) -> tuple[Counter, Histogram]:
    return requests.labels(route, method, str(status)), durations.labels(route, method)
