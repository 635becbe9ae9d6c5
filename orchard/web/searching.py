"""The search over all transcripts: recordings, and what was said in them where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from orchard.catalogue import searching
from orchard.catalogue.passages import SearchOff
from orchard.catalogue.searching import Found, Spoken
from orchard.domain.errors import InvalidInput
from orchard.domain.jobs import Job
from orchard.web.access import page
from orchard.web.looking import query_of, read_search
from orchard.web.shown import anchor_of

PAGE = 50


@dataclass(frozen=True)
class Place:
    """A place in a recording, and where its page shows it."""

    spoken: Spoken

    @property
    def anchor(self) -> str:
        """The line on the job's page."""
        return anchor_of(self.spoken.start_ms)


@dataclass(frozen=True)
class Recording:
    """A recording in which something was found."""

    job: Job
    places: Sequence[Place]


@page
def search(request: HttpRequest) -> HttpResponse:
    """Where something was said, the latest recording first."""
    text, cursor = read_search(request), request.GET.get("cursor", "")
    found, is_off, is_too_much = Found(places=[], next=None, is_whole=True), False, False
    if text:
        try:
            found = searching.search(text, limit=PAGE, cursor=cursor)
        except SearchOff:
            is_off = True
        except InvalidInput:
            is_too_much = True
    context = {
        "page": "transcripts", "q": text, "found": found, "is_off": is_off,
        "is_too_much": is_too_much, "recordings": _recordings(found.places),
        "is_first": not cursor, "first_url": f"?{query_of(q=text)}",
        "next_url": f"?{query_of(q=text, cursor=found.next)}" if found.next else "",
    }  # fmt: skip
    return render(request, "orchard/transcripts.html", context)


def _recordings(places: Sequence[Spoken]) -> list[Recording]:
    return [
        Recording(group[0].job, [Place(place) for place in group])
        for _, some in groupby(places, key=lambda place: place.job.job_id)
        for group in [list(some)]
    ]
