"""What workers say of their chunks, and what they are answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from orchard.domain import workers
from orchard.domain.chunks import Chunk
from orchard.domain.errors import OrchardError
from orchard.domain.jobs import Job
from orchard.domain.orders import type_of_lane
from orchard.domain.timeline import ChunkResult
from orchard.domain.workers import Speed


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a chunk, as its worker sends it. Times count from the chunk's start."""

    chunk_id: str
    worker_id: str
    token: int
    result: ChunkResult


class Setback(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk that its worker could not do, or hands back unfinished."""

    chunk_id: str
    worker_id: str
    token: int
    error: str
    retry: bool = True
    handback: bool = False


class Sign(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk that its worker is at, perhaps with how far it is (0 to 1)."""

    chunk_id: str
    worker_id: str
    token: int
    share: float | None = None


Said = Report | Setback | Sign
"""Anything that a worker says of one chunk."""


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """What was said counts, or counted already."""

    chunk: Chunk
    repeated: bool = False
    doubts: tuple[str, ...] = ()
    """Why it is done once more before anything counts; see :mod:`orchard.domain.quality`."""
    before: Chunk | None = None
    """The chunk as it was, when what was said has ended an attempt at it."""
    job: Job | None = None
    """Its job, then."""


Outcome = Accepted | OrchardError
"""What became of it: it counts, or why not."""


class Note(msgspec.Struct):
    """What a worker's record learns."""

    held: list[str]
    """Chunks that it goes on with."""
    lost: list[str]
    """Chunks that it has no longer."""
    speeds: list[Speed]


def _measured(done: Chunk, at: datetime) -> Speed:
    job_type = type_of_lane(done.lane)
    return workers.measure(done.duration_ms, done.time_ms, at=at, job_type=job_type)


def make_note(said: Sequence[Said], outcomes: Sequence[Outcome]) -> Note:
    """What the record of a worker learns from what it said."""
    note = Note([], [], [])
    for each, outcome in zip(said, outcomes, strict=True):
        holds = isinstance(each, Sign) and isinstance(outcome, Accepted)
        (note.held if holds else note.lost).append(each.chunk_id)
        if isinstance(each, Report) and isinstance(outcome, Accepted) and not outcome.repeated:
            done = outcome.chunk
            if at := done.completed_at:
                note.speeds.append(_measured(done, at))
    return note
