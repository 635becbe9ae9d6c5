"""``/metrics``: the figures of the site, for Prometheus."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from orchard.api.views import AsyncView
from orchard.metrics.exposition import scrape


class Metrics(AsyncView):
    """The figures; not in the API's document, as its format is Prometheus' own."""

    @extend_schema(exclude=True)
    async def get(self, request: Request) -> HttpResponse:
        """All figures of this moment; answered while the engine is away, too."""
        accept = request.headers.get("Accept", "")
        told = await sync_to_async(scrape, thread_sensitive=False)(accept)
        return HttpResponse(told.body, content_type=told.content_type)
