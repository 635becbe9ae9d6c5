"""``/api/v1/state/<namespace>/watch``: each change, in order, by an answer that waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from functools import partial
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from statecore.api.answers import ChangesAnswer
from statecore.api.documents import described
from statecore.api.namespaces import OfState
from statecore.api.requests import WatchQuery
from statecore.api.shapes import changed_shape
from statecore.api.views import AsyncView, parse
from statecore.services import arun, changes
from statecore.services.changes import Changes
from statecore.services.waiting import is_ending, look_until_ending

PAUSE_S = 0.05
"""Rest after news of something else: of a busy stream many events are read at once."""


class Watch(OfState, AsyncView):
    """The changes of a namespace."""

    @described(ChangesAnswer, query=WatchQuery, operation_id="watch_namespace")
    async def get(self, request: Request, namespace: str) -> Response:
        """Changes after a cursor, waiting ``wait_s`` for the first.

        Go on from the ``cursor`` of the answer, and nothing is missed or told twice. After a
        ``reset`` some are no longer known: read the namespace, which has a cursor of its own.
        """
        asked = parse(WatchQuery, request.query_params)
        cursor = asked["cursor"]
        if cursor in ("", "$"):
            cursor = await arun(changes.now_cursor())
        found = await _wait(namespace, cursor, asked["limit"], asked["wait_s"])
        shown = [changed_shape(change) for change in found.changes]
        return Response({"changes": shown, "cursor": found.cursor, "reset": found.reset})


async def _wait(namespace: str, cursor: str, limit: int, wait_s: float) -> Changes:
    stop, wanted = time.monotonic() + wait_s, frozenset({namespace})
    while True:
        left_s = max(0.0, stop - time.monotonic())
        found = await look_until_ending(partial(_look, cursor, wanted, limit), round(left_s * 1000))
        left_s = 0.0 if is_ending() else max(0.0, stop - time.monotonic())
        if found.changes or found.reset or (found.at_end and not left_s):
            return found
        cursor = found.cursor
        if found.at_end:
            await asyncio.sleep(min(PAUSE_S, left_s))


def _look(
    cursor: str, wanted: frozenset[str], limit: int, wait_ms: int
) -> Coroutine[Any, Any, Changes]:
    return arun(changes.changes_after(cursor, namespaces=wanted, limit=limit, block_ms=wait_ms))
