"""What the bench measures: every row of the goals, on an engine that is empty at its beginning."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from benchmarks import http, issue_state, live, memory, scale, throughput, transitions
from benchmarks.rows import Row
from benchmarks.scratch import Scratch, scratch_engine
from benchmarks.site import ROOT

CLIPS = ROOT / "tests" / "data"
SHORT = frozenset({"1", "2", "3", "4", "5", "6"})
SHORT_COUNT = 100


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows to measure, how long, and on which engine."""

    rows: frozenset[str] = frozenset()
    count: int = 1000
    minutes: int = 60
    """Length of the recording of row 8."""
    seconds: int = 20
    """How long browsers listen."""
    is_short: bool = False
    engine: str = ""
    i_know: bool = False

    @property
    def runs(self) -> int:
        """How often each transition is measured."""
        return min(self.count, SHORT_COUNT) if self.is_short else self.count


Measured = Callable[[Wanted], Iterator[Row]]


def measure(wanted: Wanted) -> Iterator[Row]:
    """The rows, in the order of the goals.

    Raises:
        EngineInUse: the engine that was named cannot be measured on.
    """
    for row, measured in _MEASURES.items():
        if row in wanted.rows and not (wanted.is_short and row not in SHORT):
            yield from measured(wanted)


def _on_engine(measured: Callable[[Scratch, Wanted], Iterator[Row]]) -> Measured:
    def with_engine(wanted: Wanted) -> Iterator[Row]:
        with scratch_engine(wanted.engine, i_know=wanted.i_know) as scratch:
            yield from measured(scratch, wanted)

    return with_engine


def _scale(wanted: Wanted) -> Iterator[Row]:
    """Row 5; a million jobs are for an engine of our own."""
    with scratch_engine():
        yield from transitions.measure_size(wanted.runs)
    if not wanted.is_short:
        with scratch_engine() as (_, client, _):
            yield from scale.measure(client, wanted.count)


def _sound(wanted: Wanted) -> Iterator[Row]:
    from benchmarks import sound

    return sound.measure(CLIPS, wanted.minutes)


def _makespans(wanted: Wanted) -> Iterator[Row]:
    from benchmarks import makespans

    return makespans.measure()


def _joining(wanted: Wanted) -> Iterator[Row]:
    from benchmarks import joining

    return joining.measure()


def _startup(wanted: Wanted) -> Iterator[Row]:
    from benchmarks import startup

    return startup.measure()


_MEASURES: dict[str, Measured] = {
    "1": _on_engine(lambda on, how: transitions.measure(on.store, on.client, how.runs)),
    "2": _on_engine(lambda on, how: throughput.measure(on.client, how.runs, batch=10)),
    "3": _on_engine(lambda on, how: throughput.measure(on.client, how.runs, batch=1)),
    "4": _on_engine(lambda on, how: http.measure(on.url, how.runs)),
    "5": _scale,
    "6": lambda how: memory.measure(how.runs),
    "7": _on_engine(lambda on, how: live.measure(on.store, on.url, how.seconds)),
    "8": _sound,
    "9": _makespans,
    "10": _joining,
    "11": _startup,
    "state": _on_engine(lambda on, how: issue_state.measure(on.store, on.client, how.runs)),
}
ROWS = tuple(_MEASURES)
"""Rows of the goals; ``state`` is row 1 and the promises of the state side."""
