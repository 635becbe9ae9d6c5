"""``/api/v1/transcripts/search``: where something was said, in all transcripts."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from orchard.api.schema import described
from orchard.api.views import View, parse
from orchard.catalogue import searching
from orchard.catalogue.searching import Spoken
from orchard.domain.transcripts import timestamp

MAX_PAGE = 100


class SaidQuery(serializers.Serializer):
    """What to search for."""

    q = serializers.CharField(
        max_length=200,
        help_text="Words, or parts of words, that were all said within about half a minute.",
    )
    limit = serializers.IntegerField(min_value=1, max_value=MAX_PAGE, default=50)
    cursor = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=3000,
        help_text="The field `next` of the page before.",
    )  # fmt: skip


class SaidAnswerOne(serializers.Serializer):
    """A place where it was said."""

    job_id = serializers.CharField()
    filename = serializers.CharField()
    start_ms = serializers.IntegerField(help_text="On the timeline of the recording.")
    start = serializers.CharField(help_text="HH:MM:SS.mmm")
    text = serializers.CharField(help_text="What was said from there on.")
    marks = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField()),
        help_text="The words in `text`: of each where it begins, and where it has ended.",
    )


class SaidPageAnswer(serializers.Serializer):
    """One page of places, of the latest recording first."""

    found = SaidAnswerOne(many=True)
    next = serializers.CharField(allow_null=True, help_text="The cursor of the next page.")
    is_whole = serializers.BooleanField(
        help_text="`false` while transcripts are still being read for the search."
    )


class Search(View):
    """The search over all transcripts."""

    @described(
        SaidPageAnswer, query=SaidQuery, operation_id="search_transcripts",
        refusals={409: "Transcripts are sealed on this site (`search_off`)"},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Find where something was said; transcripts of completed jobs, as they were edited."""
        asked = parse(SaidQuery, request.query_params)
        found = searching.search(asked["q"], limit=asked["limit"], cursor=asked["cursor"])
        places = [_shape(place) for place in found.places]
        return Response({"found": places, "next": found.next, "is_whole": found.is_whole})


def _shape(place: Spoken) -> dict[str, Any]:
    return {
        "job_id": place.job.job_id,
        "filename": place.job.filename,
        "start_ms": place.start_ms,
        "start": timestamp(place.start_ms),
        "text": place.text,
        "marks": _spans(place),
    }


def _spans(place: Spoken) -> list[list[int]]:
    spans, at = [], 0
    for mark in place.marks:
        if mark.is_hit:
            spans.append([at, at + len(mark.text)])
        at += len(mark.text)
    return spans
