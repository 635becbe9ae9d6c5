"""Where the time of a transition goes: sampled, by layer; for docs/benchmarks.md.

    python -m benchmarks.layers [--seconds 3] [--folded FILE] [--picture FILE]

A timer of processor time interrupts the process some hundred times a second; what runs then
is counted to the layer of its innermost line. ``--folded`` writes the stacks in the form that
programs draw flame graphs from, ``--picture`` draws that of an exchange. What the engine does
meanwhile it counts itself.
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import django

from benchmarks.flames import Frame, draw

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchard.settings")

EVERY_S = 0.001
ROOT = Path(__file__).parents[1]
LAYERS = {
    "redis/": "socket and driver",
    "statecore/store/": "store",
    "orchard/services/": "services",
    "orchard/domain/": "domain",
    "orchard/codec.py": "records",
    "orchard/repository.py": "records",
    "orchard/keys.py": "records",
}
NAMES = tuple(dict.fromkeys(LAYERS.values()))
OTHER = "other"


Stack = tuple[Frame, ...]
"""Functions that ran, the outermost first."""


class Cost(NamedTuple):
    """What one run of an operation costs."""

    name: str
    trips: float
    engine_us: float
    """Processor time of the engine within its scripts."""
    layers_us: dict[str, float]
    """Processor time of this process, by layer."""
    stacks: Counter[Stack]


def layer_of(file: str) -> str:
    """The layer that a source file belongs to."""
    within = file.removeprefix(f"{ROOT}/")
    for part, name in LAYERS.items():
        if within.startswith(part) or f"/site-packages/{part}" in file:
            return name
    return OTHER


class Sampler:
    """Counts what runs, by the process's own processor time; not for threads."""

    def __init__(self) -> None:
        self.layers: Counter[str] = Counter()
        self.stacks: Counter[Stack] = Counter()
        self.spent_s = 0.0
        self._is_counting = False

    def run(self, do: Callable[[], object]) -> None:
        """Do something, and count meanwhile."""
        began = time.process_time()
        self._is_counting = True
        try:
            do()
        finally:
            self._is_counting = False
        self.spent_s += time.process_time() - began

    def note(self, number: int, frame: FrameType | None) -> None:
        """Count one moment, if it is one that counts."""
        if frame is None or not self._is_counting:
            return
        self.layers[layer_of(frame.f_code.co_filename)] += 1
        frames: list[Frame] = []
        here: FrameType | None = frame
        while here is not None and here.f_code.co_filename != __file__:
            frames.append(Frame(here.f_code.co_qualname, layer_of(here.f_code.co_filename)))
            here = here.f_back
        self.stacks[tuple(reversed(frames))] += 1

    def layers_us(self, runs: int) -> dict[str, float]:
        """Microseconds of each layer in one run."""
        seen = max(1, self.layers.total())
        each = self.spent_s * 1e6 / runs
        return {name: each * self.layers[name] / seen for name in (*NAMES, OTHER)}


def measure(name: str, client: Any, do: Callable[[], object], before: Callable[[], object],
            seconds: float) -> Cost:  # fmt: skip
    """Run an operation for so long, of which ``before`` is not counted."""
    sampler = Sampler()
    signal.signal(signal.SIGPROF, sampler.note)
    # It goes on all the time: begun anew for each run it would never strike in short ones.
    signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)
    runs, trips, engine_us = 0, 0, 0.0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        before()
        start = _scripts(client)
        sampler.run(do)
        end = _scripts(client)
        runs, trips, engine_us = runs + 1, trips + end[0] - start[0], engine_us + end[1] - start[1]
    signal.setitimer(signal.ITIMER_PROF, 0)
    return Cost(name, trips / runs, engine_us / runs, sampler.layers_us(runs), sampler.stacks)


def _scripts(client: Any) -> tuple[int, float]:
    """How often the engine ran a script, and for how many microseconds."""
    told = client.info("commandstats")
    seen = [told[name] for name in ("cmdstat_evalsha", "cmdstat_eval") if name in told]
    return sum(one["calls"] for one in seen), sum(one["usec"] for one in seen)


def measure_all(seconds: float) -> list[Cost]:
    """A bare ``GET``, and what the hot path consists of."""
    from benchmarks import fleets
    from benchmarks.scratch import scratch_engine
    from orchard.services import exchanges, fleet, run

    with scratch_engine() as (_, client, _):
        client.set("bench:get", b"x" * 300)
        fleets.new_work(int(20_000 * seconds))
        worker = fleets.new_worker("bench-layers")
        held: list[Any] = []

        def claim(count: int = 1) -> object:
            held[:] = fleets.claim(worker, count)
            return held

        def complete() -> object:
            fleets.complete(held)
            held.clear()
            return held

        def exchange() -> None:
            answer = run(exchanges.exchange(worker, held, max_chunks=10))
            held[:] = fleets.as_reports(worker, answer.claimed)

        plan: list[tuple[str, Callable[[], object], Callable[[], object]]] = [
            ("GET", lambda: client.get("bench:get"), lambda: None),
            ("heartbeat", lambda: run(fleet.heartbeat(worker)), lambda: None),
            ("claim", claim, lambda: held and complete()),
            ("complete", complete, lambda: held or claim()),
            ("exchange of ten", exchange, lambda: held or claim(10)),
        ]
        return [measure(name, client, do, before, seconds) for name, do, before in plan]


def table(costs: list[Cost]) -> str:
    """The costs as Markdown, in microseconds of processor time."""
    heads = ["", "trips", "engine", "this process", *NAMES, OTHER]
    lines = [f"| {' | '.join(heads)} |", "|---|" + "---:|" * (len(heads) - 1)]
    for one in costs:
        figures = [one.engine_us, sum(one.layers_us.values()), *one.layers_us.values()]
        shown = [f"{figure:,.0f}" for figure in figures]
        lines.append(f"| {one.name} | {one.trips:.3g} | {' | '.join(shown)} |")
    return "\n".join(lines)


def _folded(costs: Iterable[Cost]) -> Iterator[str]:
    for one in costs:
        for stack, count in one.stacks.items():
            yield f"{';'.join([one.name, *(frame.name for frame in stack)])} {count}\n"


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each operation")
    parser.add_argument("--folded", type=Path, help="write the stacks there")
    parser.add_argument("--picture", type=Path, help="draw the flame graph of an exchange there")
    options = parser.parse_args()
    django.setup()
    costs = measure_all(options.seconds)
    print(table(costs))
    if options.folded:
        options.folded.write_text("".join(_folded(costs)))
    if options.picture:
        *_, exchange = costs
        title = (
            f"An {exchange.name} chunks: this process, {sum(exchange.layers_us.values()):,.0f} µs"
        )
        options.picture.write_text(draw(title, exchange.stacks))


if __name__ == "__main__":
    main()
