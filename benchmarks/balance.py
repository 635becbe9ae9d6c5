"""How evenly jobs fall on partitions, with the placement of production; seeded.

python -m benchmarks.balance            the table of docs/scaling.md
python -m benchmarks.balance --picture  docs/images/partition-balance.svg
"""

from __future__ import annotations

import random
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from orchard import keys
from orchard.placement import LAYOUT
from orchard.services.spreading import Spread
from orchard.services.submissions import CANDIDATES

PARTITIONS = 64
GOAL = 1.2
"""The busiest partition has at most so many times what the mean one has."""
JOBS = (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
SEEDS = 5
WEBS = 4
"""Web processes that jobs come in by."""
PICTURE = Path(__file__).parent.parent / "docs" / "images" / "partition-balance.svg"

Sizes = Callable[[random.Random], int]
"""Draws the number of chunks of a job."""


def even(dice: random.Random) -> int:
    """20 to 1,000 chunks, all equally likely."""
    return dice.randint(20, 1_000)


def mostly_short(dice: random.Random) -> int:
    """20 to 1,000 chunks, most near the lower end: ten minutes to eight hours of speech."""
    return min(1_000, round(20 * dice.paretovariate(1.0)))


def alike(dice: random.Random) -> int:
    """120 chunks each: recordings of an hour."""
    return 120


LOADS: dict[str, Sizes] = {
    "all of 120": alike, "20 to 1,000, mostly short": mostly_short, "20 to 1,000, evenly": even,
}  # fmt: skip
HOLDS_FROM = {
    "all of 120": 1_000, "20 to 1,000, mostly short": 100_000, "20 to 1,000, evenly": 10_000,
}  # fmt: skip
"""With so many jobs at once the goal is held, whatever the seed."""


class Balance(NamedTuple):
    """How even a load of so many jobs was, over all seeds."""

    load: str
    jobs: int
    typical: float
    worst: float


def spread_chunks(jobs: int, sizes: Sizes, seed: int, partitions: int = PARTITIONS) -> list[int]:
    """The chunks that wait in each partition when so many jobs are at hand at once.

    They come in by some web processes, none of which knows what the others do, or how many
    chunks a recording will have.
    """
    dice = random.Random(seed)
    waiting = [0] * partitions
    webs = [Spread() for _ in range(WEBS)]
    for _ in range(jobs):
        # as submissions name their jobs
        names = [f"{dice.getrandbits(64):016x}" for _ in range(CANDIDATES)]
        places = [LAYOUT.place_of(keys.job(name), partitions) for name in names]
        chosen = webs[dice.randrange(WEBS)].choose(places)
        waiting[places[chosen]] += sizes(dice)
    return waiting


def imbalance(waiting: list[int]) -> float:
    """The busiest partition over the mean one; 1 is even."""
    return max(waiting) / statistics.fmean(waiting)


def on_machines(waiting: list[int], machines: int) -> list[int]:
    """What each of some machines has, where each holds a row of partitions."""
    each = len(waiting) // machines
    return [sum(waiting[i * each : (i + 1) * each]) for i in range(machines)]


def simulate(seeds: int = SEEDS, jobs: tuple[int, ...] = JOBS) -> Iterator[Balance]:
    """Every load with every number of jobs."""
    for load, sizes in LOADS.items():
        for count in jobs:
            seen = [imbalance(spread_chunks(count, sizes, seed)) for seed in range(seeds)]
            yield Balance(load, count, statistics.median(seen), max(seen))


def main() -> None:
    """Print the table, or draw the picture."""
    seen = list(simulate())
    if "--picture" in sys.argv[1:]:
        from benchmarks.balance_picture import draw

        PICTURE.write_text(draw(seen, GOAL, PARTITIONS))
        return
    print("| jobs at once | " + " | ".join(LOADS) + " |")
    print("|---:|" + "---:|" * len(LOADS))
    for count in JOBS:
        row = [f"{one.typical:.2f} ({one.worst:.2f})" for one in seen if one.jobs == count]
        print(f"| {count:,} | " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
