"""Charts of the overview: what was done, waiting and working in the last hour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from orchard.services.samples import Sample

MINUTES = 60
WIDTH, HEIGHT = 600.0, 80.0


class Minute(NamedTuple):
    """One minute: how many chunks were done in it, and the most that waited and worked."""

    at: datetime
    completed: int
    failed: int
    waiting: int
    working: int
    busy: int
    workers: int


class Chart(NamedTuple):
    """One picture: bars or a line over the minutes, on a scale from nothing to ``top``."""

    top: int
    now: int
    points: str
    """For a line: its corners, as SVG has them."""
    bars: Sequence[tuple[float, float, float]]
    """For bars: left edge, upper edge and height."""
    bar_width: float


def per_minute(samples: Sequence[Sample], now: datetime) -> list[Minute]:
    """The last hour, minute by minute, those without samples included."""
    begin = now.replace(second=0, microsecond=0) - timedelta(minutes=MINUTES - 1)
    minutes: list[list[Sample]] = [[] for _ in range(MINUTES)]
    for sample in samples:
        index = int((sample.at - begin).total_seconds() // 60)
        if 0 <= index < MINUTES:
            minutes[index].append(sample)
    return [_minute(begin + timedelta(minutes=i), found) for i, found in enumerate(minutes)]


def draw_bars(values: Sequence[int]) -> Chart:
    """Bars for what was counted."""
    top, width = _top(values), WIDTH / max(1, len(values))
    bars = [
        (round(i * width, 2), round(HEIGHT * (1 - value / top), 2), round(HEIGHT * value / top, 2))
        for i, value in enumerate(values)
        if value
    ]
    return Chart(top, values[-1] if values else 0, "", bars, round(width * 0.8, 2))


def draw_line(values: Sequence[int]) -> Chart:
    """A line for what was measured."""
    top, step = _top(values), WIDTH / max(1, len(values) - 1)
    points = " ".join(
        f"{i * step:.1f},{HEIGHT * (1 - value / top):.1f}" for i, value in enumerate(values)
    )
    return Chart(top, values[-1] if values else 0, points, (), 0.0)


def _minute(at: datetime, found: Sequence[Sample]) -> Minute:
    return Minute(
        at, sum(one.completed for one in found), sum(one.failed for one in found),
        *(
            max((getattr(one, name) for one in found), default=0)
            for name in ("waiting", "working", "busy", "workers")
        ),
    )  # fmt: skip


def _top(values: Sequence[int]) -> int:
    """The end of the scale: a round number that nothing exceeds."""
    most = max([1, *values])
    unit: int = 10 ** (len(str(most)) - 1)
    return next(unit * step for step in (1, 2, 5, 10) if unit * step >= most)
