"""``/api/v1/jobs/<id>/transcript.<form>``: what was said, in four formats."""

from __future__ import annotations

from pathlib import PurePath

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from orchard.api.answers import ResultAnswer
from orchard.api.requests import TranscriptQuery
from orchard.api.schema import described
from orchard.api.views import View, parse
from orchard.domain import transcripts
from orchard.services import edits, queries, run

_FORMS = ", ".join(transcripts.CONTENT_TYPES)
_PARTIAL = OpenApiParameter(
    "X-Orchard-Partial", str, OpenApiParameter.HEADER, response=[200],
    description="`true` while more is to come.",
)  # fmt: skip
_FORM = OpenApiParameter("form", str, OpenApiParameter.PATH, enum=list(transcripts.CONTENT_TYPES))


class Transcript(View):
    """The transcript of a job."""

    @described(
        {
            (200, "application/json"): ResultAnswer,
            (200, "text/plain"): OpenApiTypes.STR,
            (200, "application/x-subrip"): OpenApiTypes.STR,
            (200, "text/vtt"): OpenApiTypes.STR,
        },
        query=TranscriptQuery, operation_id="get_transcript", parameters=[_FORM, _PARTIAL],
        refusals={404: f"There is no such job, or the format is none of {_FORMS}"},
    )  # fmt: skip
    def get(self, request: Request, job_id: str, form: str) -> HttpResponse:
        """What is transcribed so far; marked ``partial`` until all of it is.

        With ``edited`` as people have edited it, else as it was heard.
        """
        if form not in transcripts.CONTENT_TYPES:
            raise NotFound(f"Transcripts come as {_FORMS}", code="unknown_format")
        view = run(queries.get_transcript(job_id))
        time_ms = view.job.result.total_processing_time_ms if view.job.result else 0
        spoken = view.transcript
        if parse(TranscriptQuery, request.query_params)["edited"]:
            spoken = edits.apply_edits(spoken, run(edits.get_edits(job_id)))
        text = transcripts.render(spoken, form, time_ms=time_ms, partial=view.partial)
        answer = HttpResponse(text, content_type=transcripts.CONTENT_TYPES[form])
        name = f"{PurePath(view.job.filename).stem}.{form}"
        answer["Content-Disposition"] = content_disposition_header(False, name) or "inline"
        if view.partial:
            answer["X-Orchard-Partial"] = "true"
        return answer
