"""The timeline of a job's chunks by worker: who worked on what, when, and what went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from orchard.domain.chunks import Chunk

WIDTH = 1000.0
"""Units from the left edge of a lane to its right."""
NARROWEST = 3.0


class Attempt(NamedTuple):
    """One worker's work on one chunk, from its beginning to its end or to this moment."""

    number: int
    worker_id: str
    began: datetime
    ended: datetime
    status: str
    """``completed``, ``running``, ``failed``, ``doubted`` or ``superseded``: another was first."""
    is_retry: bool
    error: str = ""
    is_duplicate: bool = False
    """Whether another worker had the same chunk at the same time."""

    @property
    def took_s(self) -> float:
        """How long it took, in seconds."""
        return (self.ended - self.began).total_seconds()


class Bar(NamedTuple):
    """Where an attempt stands in its lane."""

    x: float
    width: float
    attempt: Attempt


class Lane(NamedTuple):
    """What one worker did for the job."""

    worker_id: str
    bars: Sequence[Bar]
    failed: int
    busy_s: float


class Lanes(NamedTuple):
    """All workers of a job, in the order in which they began, on one axis of time."""

    lanes: Sequence[Lane]
    attempts: Sequence[Attempt]
    """The same as a table: in the order in which they began."""
    begins: datetime
    ends: datetime

    @property
    def took_s(self) -> float:
        """Seconds from the left edge to the right one."""
        return (self.ends - self.begins).total_seconds()

    @property
    def has_duplicates(self) -> bool:
        """Whether a chunk was worked on by two at once."""
        return any(one.is_duplicate for one in self.attempts)

    @property
    def has_doubted(self) -> bool:
        """Whether somebody's text was doubtful, so that the chunk was done once more."""
        return any(one.status == "doubted" for one in self.attempts)

    @property
    def has_superseded(self) -> bool:
        """Whether somebody's work was not needed any more."""
        return any(one.status == "superseded" for one in self.attempts)


def draw_lanes(chunks: Sequence[Chunk], now: datetime) -> Lanes | None:
    """The picture of a job at this moment; ``None`` before anybody has begun."""
    attempts = [one for chunk in chunks for one in _mark_duplicates(_attempts(chunk, now))]
    if not attempts:
        return None
    attempts.sort(key=lambda one: (one.began, one.number))
    begins = attempts[0].began
    ends = max(begins + timedelta(seconds=1), *(one.ended for one in attempts))
    names = dict.fromkeys(one.worker_id for one in attempts)
    lanes = [_lane([one for one in attempts if one.worker_id == n], begins, ends) for n in names]
    return Lanes(lanes, attempts, begins, ends)


def _attempts(chunk: Chunk, now: datetime) -> Iterator[Attempt]:
    """The attempts that a chunk remembers, then those that it is in, or the one that counted."""
    earlier = chunk.attempts > len(chunk.errors) + 1
    for one in chunk.errors:
        if one.started_at:
            yield Attempt(
                chunk.index, one.worker_id, one.started_at, one.at, "failed", earlier, one.error
            )
            earlier = True
    if (doubt := chunk.doubt) and doubt.started_at and doubt.token != chunk.token:
        yield Attempt(chunk.index, doubt.worker_id, doubt.started_at, doubt.at, "doubted", earlier)
        earlier = True
    for late in chunk.superseded:
        yield Attempt(chunk.index, late.worker_id, late.started_at, late.at, "superseded", False)
    if second := chunk.second:
        yield Attempt(chunk.index, second.worker_id, second.started_at, now, "running", False)
    if chunk.started_at and chunk.status in ("running", "completed"):
        ended, status = chunk.completed_at or now, str(chunk.status)
        is_retry = earlier or chunk.attempts > 1
        yield Attempt(chunk.index, chunk.worker_id, chunk.started_at, ended, status, is_retry)


def _mark_duplicates(attempts: Iterator[Attempt]) -> list[Attempt]:
    """The attempts at one chunk; those that went on at the same time are duplicates."""
    all_of_one = list(attempts)
    return [
        one._replace(is_duplicate=any(_overlap(one, other) for other in all_of_one))
        for one in all_of_one
    ]


def _overlap(one: Attempt, other: Attempt) -> bool:
    at_once = one.began < other.ended and other.began < one.ended
    return at_once and one.worker_id != other.worker_id


def _lane(attempts: Sequence[Attempt], begins: datetime, ends: datetime) -> Lane:
    scale = WIDTH / (ends - begins).total_seconds()
    bars = [
        Bar(
            round((one.began - begins).total_seconds() * scale, 1),
            round(max(one.took_s * scale, NARROWEST), 1), one,
        )
        for one in attempts
    ]  # fmt: skip
    failed = sum(one.status == "failed" for one in attempts)
    return Lane(attempts[0].worker_id, bars, failed, sum(one.took_s for one in attempts))
