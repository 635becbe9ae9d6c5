"""``/api/v1/jobs/<id>/output``: the file that a job of another type than recordings led to."""

from __future__ import annotations

import asyncio

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request

from orchard.api.schema import described
from orchard.api.views import AsyncView
from orchard.byte_ranges import Blocks
from orchard.services import arun, outputs


class Output(AsyncView):
    """The output of a job."""

    @described(
        {(200, "application/octet-stream"): OpenApiTypes.BINARY}, operation_id="get_output",
        refusals={404: "There is no such job, or it has led to no file (yet)"},
    )  # fmt: skip
    async def get(self, request: Request, job_id: str) -> StreamingHttpResponse:
        """The file that a job led to; recordings have a transcript instead."""
        name = await arun(outputs.find_output(job_id))
        stream, size = await asyncio.to_thread(outputs.open_output, job_id)
        headers = {
            "Content-Length": str(size), "Cache-Control": "private, no-store",
            "Content-Disposition": content_disposition_header(True, name) or "attachment",
        }  # fmt: skip
        # Whatever it is, no browser is to show it as a page of this site.
        kind = "application/octet-stream"
        return StreamingHttpResponse(Blocks(stream), content_type=kind, headers=headers)
