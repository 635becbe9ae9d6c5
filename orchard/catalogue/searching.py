"""The search over all transcripts: what was said where, with the words marked."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from orchard.catalogue import passages
from orchard.catalogue.passages import Said
from orchard.catalogue.texts import fold, parse_words
from orchard.domain.errors import InvalidInput
from orchard.domain.jobs import Job
from orchard.services import records, run

WORDS_MAX = 20
SHOWN_CHARS = 300
"""About so much of a passage is shown."""


class Mark(msgspec.Struct, frozen=True):
    """A part of a text, and whether it is one of the words that were searched for."""

    text: str
    is_hit: bool


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """A place where the words were said."""

    job: Job
    start_ms: int
    """Where the first line begins that has one of the words."""
    marks: list[Mark]
    """What was said from there on; together the marks are its text."""

    @property
    def text(self) -> str:
        """What was said there."""
        return "".join(mark.text for mark in self.marks)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One page of places."""

    places: list[Spoken]
    next: str | None
    is_whole: bool
    """False while transcripts are still being read, so that some cannot be found yet."""


def search(text: str, *, limit: int = 50, cursor: str = "") -> Found:
    """One page of the places where all the words were said near each other.

    Raises:
        SearchOff: transcripts are sealed here.
        InvalidInput: there is nothing to search for, or too much, or the cursor is none.
        EngineAway: the state engine cannot be reached.
    """
    words = parse_words(text)
    if len(words) > WORDS_MAX:
        raise InvalidInput("q", f"at most {WORDS_MAX} words")
    found = passages.find(words, limit=limit, cursor=cursor)
    # The engine knows best: a job may be gone since its transcript was read.
    jobs = run(records.read_jobs(list(dict.fromkeys(hit.job_id for hit in found.hits))))
    places = [
        _spoken(jobs[hit.job_id], hit.lines, words) for hit in found.hits if hit.job_id in jobs
    ]
    return Found(places=places, next=found.next, is_whole=passages.is_complete())


def mark_words(text: str, words: Sequence[str]) -> list[Mark]:
    """A text in parts, those apart that are words of a search; in any case and width."""
    folded = [fold(char) for char in text]
    origin = [i for i, some in enumerate(folded) for _ in some]
    whole = "".join(folded)
    hits = [False] * len(text)
    for word in words:
        at = whole.find(word)
        while at >= 0:
            for i in origin[at : at + len(word)]:
                hits[i] = True
            at = whole.find(word, at + len(word))
    return _joined(text, hits)


def _joined(text: str, hits: Sequence[bool]) -> list[Mark]:
    marks: list[Mark] = []
    for char, is_hit in zip(text, hits, strict=True):
        if marks and marks[-1].is_hit == is_hit:
            marks[-1] = Mark(marks[-1].text + char, is_hit)
        else:
            marks.append(Mark(char, is_hit))
    return marks


def _spoken(job: Job, lines: Sequence[Said], words: Sequence[str]) -> Spoken:
    marked = [mark_words(text, words) for _, text in lines]
    first = next((i for i, some in enumerate(marked) if any(mark.is_hit for mark in some)), 0)
    text = " ".join(text for _, text in lines[first:])
    shown = text if len(text) <= SHOWN_CHARS else text[:SHOWN_CHARS].rstrip() + "…"
    return Spoken(job=job, start_ms=lines[first][0], marks=mark_words(shown, words))
