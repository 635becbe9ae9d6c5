"""Row 9: how long simulated fleets take, over the ideal bound; and a picture of it.

Run ``python -m benchmarks.makespans`` for the figures of each policy, and with
``--picture docs/images/makespan.svg`` to draw them.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from benchmarks.rows import BLOCKS, Row, make_row
from benchmarks.simulation import (
    Policy,
    assigned,
    copies_only,
    makespan_ratio,
    plain_pull,
    speed_aware,
)

WORLDS = 300
"""So many worlds are simulated for each figure; their seeds are 0, 1, 2 …"""
GOALS = {False: (1.10, 1.20), True: (1.20, 1.40)}
"""Mean and 95th percentile, without faults and with them."""
KINDS = {False: "all well", True: "deaths and stalls"}
POLICIES: dict[str, Policy] = {
    "longest first": plain_pull,
    "and who is slow waits": speed_aware,
    "longest first, and copies": copies_only,
    "as in production": assigned,
}


class Spread(NamedTuple):
    """How many times as long as ideal the worlds took under one policy."""

    ratios: Sequence[float]

    @property
    def mean(self) -> float:
        """The average."""
        return statistics.fmean(self.ratios)

    def quantile(self, share: float) -> float:
        """So large a part of the worlds took no longer."""
        ordered = sorted(self.ratios)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def measure(worlds: int = WORLDS) -> Iterator[Row]:
    """Production beside the plain pull; the spread is that of blocks of worlds."""
    for faults, (mean, p95) in GOALS.items():
        for name, policy, is_ours in (
            ("", assigned, True),
            ("plain pull, ", plain_pull, False),
        ):
            blocks = [simulate(policy, block, faults=faults) for block in _blocks(worlds)]
            means, tails = [one.mean for one in blocks], [one.quantile(0.95) for one in blocks]
            what = f"makespan, {name}{KINDS[faults]}"
            # What it is measured against has no goal; no fleet can be faster than ideal.
            for part, values, goal in (("mean", means, mean), ("p95", tails, p95)):
                limit = goal if is_ours else 1.0
                yield make_row("9", f"{what}, {part}", values, "x ideal", limit, at_most=is_ours)


def simulate(policy: Policy, seeds: range, *, faults: bool) -> Spread:
    """The worlds of these seeds under a policy."""
    return Spread([makespan_ratio(seed, policy, faults=faults) for seed in seeds])


def _blocks(worlds: int) -> list[range]:
    size = max(1, worlds // BLOCKS)
    return [range(start, start + size) for start in range(0, size * BLOCKS, size)]


# -- the picture --------------------------------------------------------------------

_LEFT, _RIGHT, _LINE, _LOW, _HIGH = 190, 640, 30, 1.0, 2.0
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2933; } .soft { fill: #5a6872; font-size: 12px; }
.axis { stroke: #c3ccd3; } .reach { stroke: #5a6872; stroke-width: 2; } .goal { stroke: #b3261e; }
.half { fill: #b9c6d0; } .ours { fill: #2f7d5b; } .mid { stroke: #1f2933; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
text { fill: #e6ebef; } .soft { fill: #a9b5bf; } .axis { stroke: #43505a; }
.reach { stroke: #a9b5bf; } .goal { stroke: #ff8a80; } .half { fill: #56646f; }
.ours { fill: #4fae83; } .mid { stroke: #ffffff; } }
"""


def draw(spreads: dict[tuple[bool, str], Spread]) -> str:
    """The picture: a bar from the fifth to the 95th percentile for each policy."""
    rows = len(spreads) + 2 * len(KINDS)
    height = _LINE * rows + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 750 {height}" role="img">',
        "<title>Makespan over the ideal bound, by policy</title>",
        f"<style>{_STYLE}</style>",
    ]
    y = 0
    for faults, kind in KINDS.items():
        y += _LINE
        parts.append(f'<text x="8" y="{y}"><tspan font-weight="600">{kind}</tspan></text>')
        top = y
        for name in POLICIES:
            y += _LINE
            parts += _bar(name, spreads[faults, name], y)
        parts += _axis(top + 8, y + 14, GOALS[faults][1])
        y += _LINE
    return "\n".join([*parts, "</svg>", ""])


def _bar(name: str, spread: Spread, y: int) -> Iterator[str]:
    low, first, mid, third, high = (_x(spread.quantile(q)) for q in (0.05, 0.25, 0.5, 0.75, 0.95))
    kind = "ours" if POLICIES[name] is assigned else "half"
    yield f'<text x="8" y="{y + 5}">{escape(name)}</text>'
    yield f'<line class="reach" x1="{low}" x2="{high}" y1="{y}" y2="{y}"/>'
    width = round(max(third - first, 2), 1)
    yield f'<rect class="{kind}" x="{first}" y="{y - 7}" width="{width}" height="14" rx="2"/>'
    yield f'<line class="mid" x1="{mid}" x2="{mid}" y1="{y - 7}" y2="{y + 7}"/>'
    told = f"{spread.mean:.2f} · {spread.quantile(0.95):.2f}"
    yield f'<text class="soft" x="{_RIGHT + 14}" y="{y + 4}">{told}</text>'


def _axis(top: int, bottom: int, goal: float) -> Iterator[str]:
    for tick in (1.0, 1.2, 1.4, 1.6, 1.8, 2.0):
        x = _x(tick)
        yield f'<line class="axis" x1="{x}" x2="{x}" y1="{bottom - 4}" y2="{bottom + 2}"/>'
        yield f'<text class="soft" x="{x}" y="{bottom + 15}" text-anchor="middle">{tick:g}</text>'
    yield f'<line class="axis" x1="{_x(_LOW)}" x2="{_x(_HIGH)}" y1="{bottom}" y2="{bottom}"/>'
    x = _x(goal)
    yield (
        f'<line class="goal" x1="{x}" x2="{x}" y1="{top}" y2="{bottom}" stroke-dasharray="4 3">'
        f"<title>goal of the 95th percentile: {goal:g}</title></line>"
    )


def _x(ratio: float) -> float:
    share = (min(max(ratio, _LOW), _HIGH) - _LOW) / (_HIGH - _LOW)
    return round(_LEFT + share * (_RIGHT - _LEFT), 1)


def main() -> None:
    """Print the figures of each policy, or draw them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=WORLDS)
    parser.add_argument("--picture", type=Path, help="file to draw them into (SVG)")
    chosen = parser.parse_args()
    spreads = {
        (faults, name): simulate(policy, range(chosen.worlds), faults=faults)
        for faults in KINDS
        for name, policy in POLICIES.items()
    }
    for (faults, name), spread in spreads.items():
        print(
            f"{KINDS[faults]:18} {name:26} mean {spread.mean:.3f}  p95 {spread.quantile(0.95):.3f}"
            f"  worst {max(spread.ratios):.2f}"
        )
    if chosen.picture:
        chosen.picture.write_text(draw(spreads))


if __name__ == "__main__":
    main()
