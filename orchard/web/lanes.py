"""The timeline of a job's chunks by worker: who worked on what, when, and what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from orchard.domain.chunks import Chunk

WIDTH = 1000.0
"""Units from the left edge of a lane to its right."""
NARROWEST = 3.0


class Bar(NamedTuple):
    """One attempt at a chunk that is known: where it stands in its lane, and how it went."""

    number: int
    x: float
    width: float
    status: str
    attempts: int


class Mark(NamedTuple):
    """A failed attempt: where it ended."""

    number: int
    x: float
    error: str


class Lane(NamedTuple):
    """What one worker did for the job."""

    worker_id: str
    bars: Sequence[Bar]
    marks: Sequence[Mark]
    busy_s: float


class Lanes(NamedTuple):
    """All workers of a job, in the order in which they began, on one axis of time."""

    lanes: Sequence[Lane]
    begins: datetime
    ends: datetime

    @property
    def took_s(self) -> float:
        """Seconds from the left edge to the right one."""
        return (self.ends - self.begins).total_seconds()


def draw_lanes(chunks: Sequence[Chunk], now: datetime) -> Lanes | None:
    """The picture of a job at this moment; ``None`` before anybody has begun."""
    begun = [chunk for chunk in chunks if chunk.started_at]
    times = [time for chunk in begun if (time := chunk.started_at)]
    times += [one.at for chunk in chunks for one in chunk.errors]
    if not times:
        return None
    begins = min(times)
    ends = max([*times, *(_end(chunk, now) for chunk in begun)], default=begins)
    ends = max(ends, begins + timedelta(seconds=1))
    workers = dict.fromkeys(_workers(chunks))
    lanes = [_lane(name, chunks, begins, ends, now) for name in workers]
    return Lanes(sorted(lanes, key=_first_x), begins, ends)


def _workers(chunks: Sequence[Chunk]) -> list[str]:
    named = [chunk.worker_id for chunk in chunks if chunk.worker_id and chunk.started_at]
    return named + [one.worker_id for chunk in chunks for one in chunk.errors if one.worker_id]


def _lane(
    worker_id: str, chunks: Sequence[Chunk], begins: datetime, ends: datetime, now: datetime
) -> Lane:
    scale = WIDTH / (ends - begins).total_seconds()
    bars, marks, busy_s = [], [], 0.0
    for chunk in chunks:
        if chunk.worker_id == worker_id and chunk.started_at:
            took_s = (_end(chunk, now) - chunk.started_at).total_seconds()
            x = (chunk.started_at - begins).total_seconds() * scale
            width = max(took_s * scale, NARROWEST)
            bar = Bar(chunk.index, round(x, 1), round(width, 1), str(chunk.status), chunk.attempts)
            bars.append(bar)
            busy_s += took_s
        for one in chunk.errors:
            if one.worker_id == worker_id:
                at = (one.at - begins).total_seconds() * scale
                marks.append(Mark(chunk.index, round(at, 1), one.error))
    return Lane(worker_id, bars, marks, busy_s)


def _end(chunk: Chunk, now: datetime) -> datetime:
    """When the last attempt at a chunk was over; a running one lasts until now."""
    if chunk.completed_at:
        return chunk.completed_at
    failed = [one.at for one in chunk.errors if chunk.started_at and one.at >= chunk.started_at]
    return now if chunk.status == "running" or not failed else failed[-1]


def _first_x(lane: Lane) -> float:
    return min([bar.x for bar in lane.bars] + [mark.x for mark in lane.marks], default=0.0)
