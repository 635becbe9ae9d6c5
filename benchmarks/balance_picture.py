"""The picture of how even partitions are: a chart that reads on light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 24, 44, 44
LOWEST, HIGHEST = 1.0, 2.6
COLOURS = ("#3b82f6", "#d97706", "#16a34a")


class Point(Protocol):
    """One load with one number of jobs."""

    @property
    def load(self) -> str: ...
    @property
    def jobs(self) -> int: ...
    @property
    def typical(self) -> float: ...


def draw(seen: Sequence[Point], goal: float, partitions: int) -> str:
    """An SVG of the imbalance over the number of jobs, one line for each load."""
    few, many = min(one.jobs for one in seen), max(one.jobs for one in seen)

    def place(jobs: int, value: float) -> str:
        across = math.log(jobs / few) / math.log(many / few)
        up = (min(value, HIGHEST) - LOWEST) / (HIGHEST - LOWEST)
        x = LEFT + across * (WIDTH - LEFT - RIGHT)
        return f"{x:.1f},{HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM):.1f}"

    parts = [
        _text(
            LEFT,
            18,
            f"Busiest of {partitions} partitions over the mean one, by jobs at once",
            "start",
        ),
        _text(WIDTH - RIGHT - 200, TOP - 8, "chunks of a job:", "start"),
        *(_level(value / 10, place(few, value / 10)) for value in range(10, 27, 4)),
        _goal(goal, place(few, goal)),
        *(_count(jobs, place(jobs, LOWEST)) for jobs in sorted({one.jobs for one in seen})),
    ]
    for number, load in enumerate(dict.fromkeys(one.load for one in seen)):
        points = [place(one.jobs, one.typical) for one in seen if one.load == load]
        parts += _line(points, load, number)
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">\n'
        "<title>Imbalance of partitions over the number of jobs at once</title>\n"
        "<style>text{font:12px system-ui,sans-serif;fill:#475569}.grid{stroke:#94a3b8;opacity:.4}"
        "@media(prefers-color-scheme:dark){text{fill:#cbd5e1}}</style>\n"
        f"{body}\n</svg>\n"
    )


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words}</text>'


def _level(value: float, at: str) -> str:
    y = float(at.split(",")[1])
    line = f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
    return line + _text(LEFT - 8, y + 4, f"{'≥ ' * (value >= HIGHEST)}{value:.1f}", "end")


def _goal(goal: float, at: str) -> str:
    y = float(at.split(",")[1])
    return (
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="#dc2626"'
        ' stroke-dasharray="5 4"/>' + _text(LEFT + 6, y + 14, f"goal: {goal:g}", "start")
    )


def _count(jobs: int, at: str) -> str:
    x, y = map(float, at.split(","))
    return _text(x, y + 20, f"{jobs:,}", "middle")


def _line(points: Sequence[str], load: str, number: int) -> list[str]:
    colour, y = COLOURS[number % len(COLOURS)], TOP + 10 + 18 * number
    x = WIDTH - RIGHT - 200
    dots = "".join(
        f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>'
        for x, y in (point.split(",") for point in points)
    )
    return [
        f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="2"/>',
        dots,
        f'<line x1="{x}" x2="{x + 20}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="2"/>'
        + _text(x + 26, y + 4, load, "start"),
    ]
