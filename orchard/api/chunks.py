"""``/api/v1/chunks``: the sound of a chunk, and what its worker reports."""

from __future__ import annotations

import asyncio

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request
from rest_framework.response import Response

from orchard.api.bodies import CompleteBody, FailBody, ProgressBody, parse_body
from orchard.api.requests import AudioQuery
from orchard.api.schema import described
from orchard.api.views import AsyncView, parse
from orchard.api.work_answers import AcceptedAnswer, DeadlineAnswer, FailedAnswer
from orchard.byte_ranges import Blocks
from orchard.services import arun, queries, reports, sounds

_REFUSALS = {404: "There is no such chunk", 409: "Somebody else holds the chunk now"}


class Progress(AsyncView):
    """How far a worker is."""

    scopes = ("worker",)

    @described(
        DeadlineAnswer, body=ProgressBody, refusals=_REFUSALS, operation_id="report_progress"
    )
    async def post(self, request: Request, name: str) -> Response:
        """Note how far a worker is, and extend its lease."""
        told = parse_body(ProgressBody, request.data)
        steps = reports.progress(name, told.worker_id, told.token, told.progress)
        return Response({"deadline": await arun(steps)})


class Complete(AsyncView):
    """What a worker heard."""

    scopes = ("worker",)

    @described(AcceptedAnswer, body=CompleteBody, refusals=_REFUSALS, operation_id="complete_chunk")
    async def post(self, request: Request, name: str) -> Response:
        """Accept the result of a chunk; sending it again is answered like the first time.

        `doubted` says why the text is doubtful, when it is: then the chunk is done once more,
        by another worker if there is one, and the better of the two results counts.
        """
        told = parse_body(CompleteBody, request.data)
        accepted = await arun(reports.complete(name, told.worker_id, told.token, told.result()))
        doubted = {"doubted": accepted.doubts} if accepted.doubts else {}
        return Response({"accepted": True, "repeated": accepted.repeated} | doubted)


class Fail(AsyncView):
    """What a worker could not do."""

    scopes = ("worker",)

    @described(FailedAnswer, body=FailBody, refusals=_REFUSALS, operation_id="fail_chunk")
    async def post(self, request: Request, name: str) -> Response:
        """Send a chunk back to be tried again, or for good without ``retry``."""
        told = parse_body(FailBody, request.data)
        steps = reports.fail(
            name, told.worker_id, told.token, told.error, retry=told.retry, handback=told.handback
        )
        return Response({"status": str((await arun(steps)).status)})


class Audio(AsyncView):
    """The sound of a chunk."""

    scopes = ("worker",)
    read_scopes = ("worker", "read")

    @described(
        {(200, "audio/wav"): OpenApiTypes.BINARY}, query=AudioQuery, refusals=_REFUSALS,
        operation_id="get_chunk_audio",
    )  # fmt: skip
    async def get(self, request: Request, name: str) -> StreamingHttpResponse:
        """The sound of a chunk: WAV, 16 kHz, mono, 16 bits."""
        token = parse(AudioQuery, request.query_params)["token"]
        stored = await arun(queries.chunk_audio_name(name, token))
        stream, size = await asyncio.to_thread(sounds.open_sound, stored)
        headers = {"Content-Length": str(size), "Cache-Control": "private, no-store"}
        return StreamingHttpResponse(Blocks(stream), content_type="audio/wav", headers=headers)
