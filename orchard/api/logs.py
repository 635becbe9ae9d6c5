"""``/api/v1/logs``: log lines of all processes, taken in batches and searched."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import msgspec
from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from orchard.api.bodies import check_free, parse_body
from orchard.api.errors import TooLarge
from orchard.api.log_bodies import (
    PAGE_MAX,
    LogQuery,
    LogsAnswer,
    LogsBody,
    LogsTakenAnswer,
    line_of,
    search_of,
    shape_of,
)
from orchard.api.schema import described
from orchard.api.views import AsyncView, parse
from orchard.api.wire import JsonParser
from orchard.domain.errors import InvalidInput
from orchard.logbook.contract import LogsAway, Page, Search, SearchTooSlow
from orchard.logbook.lines import Line
from orchard.logbook.site import get_reader, get_writer

BODY_MAX_BYTES = 1_000_000
PAGE = 100
_AWAY = {503: "The log database cannot be used right now, or a search took too long"}


class Unavailable(exceptions.APIException):
    """The log database cannot be used right now."""

    status_code = 503
    default_detail = "The log database cannot be used right now; try again in a moment"
    default_code = "logs_away"
    wait = 2


class LogsParser(JsonParser):
    """Bodies of log lines, which are not long."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        """The value of a body.

        Raises:
            TooLarge: there is too much of it.
            ParseError: it is not JSON.
        """
        raw = stream.read(BODY_MAX_BYTES + 1)
        if len(raw) > BODY_MAX_BYTES:
            raise TooLarge(f"The body is larger than {BODY_MAX_BYTES:,} bytes; send fewer lines")
        return super().parse(BytesIO(raw), media_type, parser_context)


class Logs(AsyncView):
    """The logbook."""

    scopes = ("worker", "issues", "state")
    parser_classes = (LogsParser,)

    @described(
        {(200, "application/json"): LogsAnswer, (200, "application/x-ndjson"): str},
        query=LogQuery, operation_id="search_logs", refusals=_AWAY,
    )  # fmt: skip
    async def get(self, request: Request) -> Response | StreamingHttpResponse:
        """Search the log lines of all processes, newest first."""
        asked = parse(LogQuery, request.query_params)
        search, before = search_of(asked), int(asked["cursor"]) if asked["cursor"] else None
        if asked["format"] == "ndjson":
            return await _export(search, asked["limit"], before)
        page = await _find(search, asked["limit"] or PAGE, before)
        return Response(
            {"lines": [shape_of(line) for line in page.lines],
             "next": None if page.next is None else str(page.next)}
        )  # fmt: skip

    @described(
        {201: LogsTakenAnswer}, body=LogsBody, operation_id="send_logs",
        refusals=_AWAY | {413: "More than 1 MB"},
    )  # fmt: skip
    async def post(self, request: Request) -> Response:
        """Keep log lines: at most 1000 and 1 MB at once. What looks like a secret is taken out."""
        lines = _parse_lines(request.data)
        try:
            accepted = await sync_to_async(get_writer().write, thread_sensitive=False)(lines)
        except LogsAway as away:
            raise Unavailable from away
        return Response({"accepted": accepted}, 201)


def _parse_lines(given: Any) -> list[Line]:
    body, now_ms = parse_body(LogsBody, given), round(time.time() * 1000)
    lines = []
    for i, (one, raw) in enumerate(zip(body.lines, given["lines"], strict=True)):
        others = {name: value for name, value in raw.items() if name not in one.__struct_fields__}
        check_free(f"lines[{i}].fields", one.fields | others)
        try:
            lines.append(line_of(one, others, now_ms))
        except ValueError as fault:
            raise InvalidInput(f"lines[{i}].level", str(fault)) from None
    return lines


async def _find(search: Search, limit: int, before: int | None) -> Page:
    try:
        return await sync_to_async(get_reader().find, thread_sensitive=False)(search, limit, before)
    except SearchTooSlow as slow:
        raise Unavailable(str(slow), "search_too_slow") from slow
    except LogsAway as away:
        raise Unavailable from away


async def _export(search: Search, limit: int | None, before: int | None) -> StreamingHttpResponse:
    """All lines found, as a file that is made while it is sent."""
    first = await _find(search, min(limit or PAGE_MAX, PAGE_MAX), before)
    content = _written(search, first, None if limit is None else 0)
    answer = StreamingHttpResponse(content, content_type="application/x-ndjson")
    answer["Content-Disposition"] = 'attachment; filename="logs.ndjson"'
    return answer


async def _written(search: Search, page: Page, left: int | None) -> AsyncIterator[bytes]:
    """Pages as lines of JSON; all that follow, unless nothing is ``left`` to ask for."""
    while True:
        yield b"".join(msgspec.json.encode(shape_of(line)) + b"\n" for line in page.lines)
        if page.next is None or left == 0:
            return
        page = await _find(search, PAGE_MAX, page.next)
