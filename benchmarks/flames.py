"""The picture of where time goes: a flame graph of sampled stacks, for light and dark pages.

After Gregg, "The Flame Graph" (Communications of the ACM 59/6, 2016): a box is as wide as it was
seen often, what it called stands above it, and order along the line means nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import NamedTuple

WIDTH, ROW, TOP, LEGEND = 1000, 16, 28, 24
NARROWEST = 1.5
"""A box of fewer pixels is left out: nobody could read it."""
LETTER = 6.2
"""Pixels that a letter takes."""
COLOURS = {
    "socket and driver": "#94a3b8", "store": "#f59e0b", "services": "#22c55e",
    "domain": "#38bdf8", "records": "#c084fc", "other": "#d6d3d1",
}  # fmt: skip


class Frame(NamedTuple):
    """A function, and the layer that it belongs to."""

    name: str
    layer: str


class Box(NamedTuple):
    """A function as often as it was seen in one place of the graph."""

    frame: Frame
    depth: int
    begin: int
    seen: int


def draw(title: str, stacks: Mapping[tuple[Frame, ...], int]) -> str:
    """An SVG of stacks, outermost function first, with how often each was seen."""
    boxes = list(_boxes(sorted(stacks.items()), 0, 0))
    total = sum(stacks.values()) or 1
    height = TOP + LEGEND + ROW * (1 + max((box.depth for box in boxes), default=0))
    body = "\n".join(_drawn(box, total, height) for box in boxes if _wide(box, total) >= NARROWEST)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">\n'
        f"<title>{escape(title)}</title>\n"
        "<style>text{font:11px ui-monospace,monospace;fill:#0f172a}"
        ".word{font:13px system-ui,sans-serif;fill:#475569}rect{stroke:#fff;stroke-width:.5}"
        "@media(prefers-color-scheme:dark){.word{fill:#cbd5e1}rect{stroke:#0f172a}}</style>\n"
        f'<text class="word" x="4" y="18">{escape(title)}</text>\n'
        f"{_legend(height)}\n{body}\n</svg>\n"
    )


def _boxes(
    stacks: Sequence[tuple[tuple[Frame, ...], int]], depth: int, begin: int
) -> Iterator[Box]:
    """The boxes of stacks that are alike below this depth, from left to right."""
    groups: dict[Frame, list[tuple[tuple[Frame, ...], int]]] = {}
    for stack, count in stacks:
        if len(stack) > depth:
            groups.setdefault(stack[depth], []).append((stack, count))
    for frame, alike in groups.items():
        count = sum(seen for _, seen in alike)
        yield Box(frame, depth, begin, count)
        yield from _boxes(alike, depth + 1, begin)
        begin += count


def _wide(box: Box, total: int) -> float:
    return WIDTH * box.seen / total


def _drawn(box: Box, total: int, height: int) -> str:
    x, y = WIDTH * box.begin / total, height - LEGEND - ROW * (box.depth + 1)
    width, share = _wide(box, total), 100 * box.seen / total
    told = f"<title>{escape(box.frame.name)}: {share:.1f} %</title>"
    rect = f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{ROW}" fill="{_colour(box)}"/>'
    room = int((width - 4) / LETTER)
    word = box.frame.name.rpartition(".")[2] if len(box.frame.name) > room else box.frame.name
    text = f'<text x="{x + 2:.1f}" y="{y + 12}">{escape(word)}</text>' if len(word) <= room else ""
    return f"<g>{told}{rect}{text}</g>"


def _colour(box: Box) -> str:
    return COLOURS.get(box.frame.layer, COLOURS["other"])


def _legend(height: int) -> str:
    marks = []
    for number, (layer, colour) in enumerate(COLOURS.items()):
        x, y = 4 + 150 * number, height - 17
        marks.append(f'<rect x="{x}" y="{y}" width="12" height="12" fill="{colour}"/>')
        marks.append(f'<text class="word" x="{x + 18}" y="{y + 11}">{layer}</text>')
    return "".join(marks)
