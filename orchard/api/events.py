"""``/api/v1/events``: everything that happened, in order, from a cursor on."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from orchard.api.answers import EventsAnswer
from orchard.api.requests import EventQuery
from orchard.api.schema import described
from orchard.api.views import AsyncView, parse
from orchard.services import arun, queries
from statecore.api.shapes import event_shape
from statecore.services.waiting import look_until_ending


class Events(AsyncView):
    """The events of both sides; those of a newer program are passed on as they are."""

    @described(EventsAnswer, query=EventQuery, operation_id="list_events")
    async def get(self, request: Request) -> Response:
        """Events after a cursor; ``reset`` when some after it are no longer kept."""
        asked = parse(EventQuery, request.query_params)
        cursor, limit = asked["cursor"], asked["limit"]
        tailed = await look_until_ending(
            lambda wait_ms: arun(queries.events_after(cursor, block_ms=wait_ms, limit=limit)),
            round(asked["wait_s"] * 1000),
        )
        events = [event_shape(*entry) for entry in tailed.entries]
        return Response({"events": events, "cursor": tailed.cursor, "reset": tailed.reset})
