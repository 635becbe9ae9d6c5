"""``/api/v1/jobs/<id>/transcript.<form>``: what was said, in four formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import Any

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
from orchard.domain.captions import Rules
from orchard.domain.errors import InvalidInput
from orchard.services import edits, queries, run

_FORMS = ", ".join(transcripts.CONTENT_TYPES)
_PARTIAL = OpenApiParameter(
    "X-Orchard-Partial", str, OpenApiParameter.HEADER, response=[200],
    description="`true` while more is to come.",
)  # fmt: skip
_FORM = OpenApiParameter("form", str, OpenApiParameter.PATH, enum=list(transcripts.CONTENT_TYPES))


_LIMITS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "line_chars": lambda given: {"max_chars": given},
    "lines": lambda given: {"max_lines": given},
    "max_s": lambda given: {"max_ms": round(given * 1000)},
    "min_s": lambda given: {"min_ms": round(given * 1000)},
    "gap_ms": lambda given: {"gap_ms": given},
    "chars_per_s": lambda given: {"chars_per_s": given},
}
"""How each limit of a query becomes one of the rules."""


def caption_rules(asked: dict[str, Any], form: str) -> Rules | None:
    """The rules that a query asks for; ``None`` when it asks for none.

    Raises:
        InvalidInput: the format is none of subtitles, or the limits exclude each other.
    """
    limits = {name: asked[name] for name in _LIMITS if asked.get(name) is not None}
    if not limits and not asked["rules"]:
        return None
    if form not in transcripts.CAPTIONED:
        raise InvalidInput(next(iter(limits), "rules"), "only srt and vtt have rules for lines")
    facts: dict[str, Any] = {}
    for name, given in limits.items():
        facts |= _LIMITS[name](given)
    rules = Rules(**facts)
    if rules.min_ms > rules.max_ms:
        raise InvalidInput("min_s", "must not be more than max_s")
    return rules


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

        With ``edited`` as people have edited it, else as it was heard. Subtitles have one
        block for each line that was heard, unless ``rules``, or a limit, are asked for.
        """
        if form not in transcripts.CONTENT_TYPES:
            raise NotFound(f"Transcripts come as {_FORMS}", code="unknown_format")
        asked = parse(TranscriptQuery, request.query_params)
        rules = caption_rules(asked, form)
        view = run(queries.get_transcript(job_id))
        time_ms = view.job.result.total_processing_time_ms if view.job.result else 0
        spoken = view.transcript
        if asked["edited"]:
            spoken = edits.apply_edits(spoken, run(edits.get_edits(job_id)))
        text = transcripts.render(
            spoken, form, time_ms=time_ms, partial=view.partial, words=asked["words"], rules=rules
        )
        answer = HttpResponse(text, content_type=transcripts.CONTENT_TYPES[form])
        name = f"{PurePath(view.job.filename).stem}.{form}"
        answer["Content-Disposition"] = content_disposition_header(False, name) or "inline"
        if view.partial:
            answer["X-Orchard-Partial"] = "true"
        return answer
