"""``/api/v1/jobs/export``: the transcripts of many jobs as one zip."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request

from orchard.api.requests import JOB_SORTS
from orchard.api.schema import described
from orchard.api.transcripts import caption_rules
from orchard.api.views import View, parse
from orchard.catalogue import listing
from orchard.domain import transcripts
from orchard.domain.errors import InvalidInput, UnknownJob
from orchard.domain.jobs import Job
from orchard.services import edits, exporting, records, run
from orchard.services.exporting import MOST_JOBS
from orchard.services.queries import JOB_STATUSES, MAX_PAGE, TranscriptView

_FORMS = tuple(transcripts.CONTENT_TYPES)
_ANSWER = {(200, "application/zip"): OpenApiTypes.BINARY}
_REFUSALS = {
    400: f"A field is wrong, or there are more than {MOST_JOBS} jobs",
    404: "There is no job of one of the ids",
}


class HowQuery(serializers.Serializer):
    """How the transcripts are written."""

    format = serializers.ChoiceField(_FORMS, default="txt")
    edited = serializers.BooleanField(default=False, help_text="As people have edited them.")
    words = serializers.BooleanField(
        default=False, help_text="Of `json`: with the times of words, and how sure they are."
    )
    rules = serializers.BooleanField(
        default=False, help_text="Of `srt` and `vtt`: with short lines, as broadcasters want them."
    )


class ExportQuery(HowQuery):
    """Which jobs: those that are found."""

    q = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=200,
        help_text="Words that the name or the id must have in it.",
    )  # fmt: skip
    status = serializers.ChoiceField(
        JOB_STATUSES, required=False, default="completed",
        help_text="Only completed jobs have a file; others are named in `left-out.txt`.",
    )  # fmt: skip
    sort = serializers.ChoiceField(JOB_SORTS, required=False, default=JOB_SORTS[0])
    ids = serializers.RegexField(
        r"^[0-9A-Za-z_-]{1,64}(,[0-9A-Za-z_-]{1,64}){0,199}$", required=False, default="",
        allow_blank=True, help_text="These jobs instead: at most 200 ids, with commas between.",
    )  # fmt: skip


class Export(View):
    """Transcripts of many jobs."""

    scopes = ("read",)

    @described(_ANSWER, query=ExportQuery, refusals=_REFUSALS, operation_id="export_jobs")
    def get(self, request: Request) -> StreamingHttpResponse:
        """The transcripts of the jobs that are found, as one zip; at most a thousand."""
        asked = parse(ExportQuery, request.query_params)
        ids = asked["ids"].split(",") if asked["ids"] else []
        return _answer(asked, _named(ids) if ids else _find(asked))


def _answer(asked: dict[str, Any], jobs: list[Job]) -> StreamingHttpResponse:
    form = asked["format"]
    rules = caption_rules(asked, form)

    def write(view: TranscriptView) -> str:
        spoken, time_ms = view.transcript, 0
        if asked["edited"]:
            spoken = edits.apply_edits(spoken, run(edits.get_edits(view.job.job_id)))
        if view.job.result:
            time_ms = view.job.result.total_processing_time_ms
        return transcripts.render(
            spoken, form, time_ms=time_ms, words=asked["words"], rules=rules
        )  # fmt: skip

    pieces = exporting.export(jobs, form, write)
    answer = StreamingHttpResponse(_streamed(pieces), content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="transcripts-{form}.zip"'
    return answer


def _named(job_ids: list[str]) -> list[Job]:
    """The jobs with these ids, each once.

    Raises:
        UnknownJob: there is none of one of the ids.
    """
    ids = list(dict.fromkeys(job_ids))
    found = run(records.read_jobs(ids))
    if missing := [job_id for job_id in ids if job_id not in found]:
        raise UnknownJob(f"There is no job {missing[0]}")
    return [found[job_id] for job_id in ids]


def _find(asked: dict[str, Any]) -> list[Job]:
    """The jobs that a query finds.

    Raises:
        InvalidInput: they are too many.
    """
    jobs: list[Job] = []
    cursor: str | None = ""
    while cursor is not None:
        page = listing.list_jobs(
            q=asked["q"], status=asked["status"], sort=asked["sort"], limit=MAX_PAGE, cursor=cursor
        )
        jobs += [view.job for view in page.views]
        if len(jobs) > MOST_JOBS:
            raise InvalidInput("q", f"more than {MOST_JOBS} jobs are found; ask for fewer")
        cursor = page.next
    return jobs


async def _streamed(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces, each made off the event loop when the one before was taken."""
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece
