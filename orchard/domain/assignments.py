"""Assignment: which chunk a worker gets that asks for one, and when a chunk is given to two.

All times are seconds from the moment of the question. A worker's *pace* is how many
seconds it takes over a second of sound, so lower is faster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

SEEN = 200
"""So many waiting chunks are looked at; where there are more, whoever asks gets the first."""
OVERHEAD_S = 1.0
"""What every chunk costs besides listening: to be claimed, fetched and reported."""
UNMEASURED = 1.0
"""The pace that is expected as long as nobody was measured."""
NEWEST_COUNTS = 0.3
"""How much of a pace is the newest measurement; the older ones share the rest."""
TIME_OUT = 3.0
"""So many times the expected time a chunk may take, before another gets it ahead of new work."""
LATE = 1.5
"""So many times the expected time, and nobody counts on a chunk any more."""
SOON = 0.1
"""What is left, as a part of the expected time, when that is over and it is not late yet."""
GAIN = 1.25
"""A duplicate has to be expected this much earlier, or it is not worth the work."""


class Waiting(NamedTuple):
    """A chunk that nobody has."""

    name: str
    duration_s: float


class Attempt(NamedTuple):
    """A chunk that a worker has; where two have it, there are two."""

    name: str
    duration_s: float
    worker_id: str
    elapsed_s: float


class Hand(NamedTuple):
    """A worker, as far as work is concerned."""

    worker_id: str
    pace: float | None = None
    """``None`` before it was measured."""
    slots: int = 1
    """How many chunks it does at once."""
    takes_more: bool = True
    """Whether it will ask for more: it is not drained, paused, or away."""


class Outlook(NamedTuple):
    """What there is to do, who does what, and how fast everybody is."""

    waiting: Sequence[Waiting]
    """In the order of the queue."""
    attempts: Sequence[Attempt]
    hands: Mapping[str, Hand]
    is_crowded: bool = False
    """Whether more is waiting than is looked at."""

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing to choose: more is waiting than is looked at, or none work."""
        return self.is_crowded or not self.attempts


class Choice(NamedTuple):
    """A chunk for a worker."""

    name: str
    is_duplicate: bool = False


def pace_of(ratios: Sequence[float]) -> float | None:
    """A worker's pace by its measurements, the oldest first; the newest count most."""
    pace: float | None = None
    for ratio in ratios:
        if ratio > 0:
            pace = ratio if pace is None else pace + NEWEST_COUNTS * (ratio - pace)
    return pace


def choose(worker_id: str, outlook: Outlook, *, shortest_s: float, count: int = 1) -> list[Choice]:
    """The chunks that a worker gets now, up to ``count``; with none it may ask again later.

    First what ran out of time elsewhere (never before ``shortest_s``), then what waits,
    and when there is nothing for it, a copy of what would otherwise be done last.
    """
    if overdue := choose_overdue(worker_id, outlook, shortest_s=shortest_s):
        return [overdue]
    if waiting := choose_waiting(worker_id, outlook, count):
        return waiting
    straggler = choose_straggler(worker_id, outlook)
    return [straggler] if straggler else []


def choose_overdue(worker_id: str, outlook: Outlook, *, shortest_s: float) -> Choice | None:
    """A chunk that has been with its worker for longer than it may.

    It goes to a worker that is no slower than usual: a slow one would only be late, too.
    """
    paces = _Paces(outlook)
    if not paces.is_quick(worker_id):
        return None
    late = [
        (min(one.elapsed_s for one in holders), name)
        for name, holders in _by_others(worker_id, outlook).items()
        if all(paces.is_over_time(one, shortest_s) for one in holders)
    ]
    return Choice(max(late)[1], True) if late else None


def choose_waiting(worker_id: str, outlook: Outlook, count: int = 1) -> list[Choice]:
    """The first chunks of the queue that nobody else is expected to finish earlier.

    Everybody's next chunks are laid out ahead, in the order of the queue: each goes to
    whoever would finish it first, those counted who are still at another one. A worker
    that was never measured gets the shortest chunk of what is next.
    """
    paces = _Paces(outlook)
    if outlook.is_crowded:
        return [Choice(one.name) for one in outlook.waiting[:count]]
    free_s = _free_at(worker_id, outlook, paces)
    if outlook.waiting and paces.is_any_known and not paces.is_known(worker_id):
        return [Choice(min(outlook.waiting[: len(free_s)], key=lambda one: one.duration_s).name)]
    mine: list[Choice] = []
    for chunk in outlook.waiting:
        ends_s = {
            one: start_s + paces.expected_s(one, chunk.duration_s)
            for one, start_s in free_s.items()
        }
        first = min(ends_s, key=lambda one: (ends_s[one], one != worker_id))
        free_s[first] = ends_s[first]
        if first == worker_id:
            mine.append(Choice(chunk.name))
        if len(mine) == count:
            break
    return mine


def choose_straggler(worker_id: str, outlook: Outlook) -> Choice | None:
    """A copy of the chunk that would be done last, if this worker is clearly faster.

    It has to be known how fast it is, and nobody else may be expected to make a copy
    earlier.
    """
    paces = _Paces(outlook)
    if not paces.is_known(worker_id):
        return None
    free_s = _free_at(worker_id, outlook, paces)
    found: list[tuple[float, float, str]] = []
    for name, (one, *others) in _by_others(worker_id, outlook).items():
        left_s, mine_s = _left_s(one, paces), paces.expected_s(worker_id, one.duration_s)
        if others or left_s <= GAIN * mine_s + OVERHEAD_S:
            continue
        copies_s = (
            start_s + paces.expected_s(other, one.duration_s)
            for other, start_s in free_s.items()
            if other != one.worker_id
        )
        if mine_s <= min(copies_s):
            found.append((left_s, one.duration_s, name))
    return Choice(max(found)[2], True) if found else None


class _Paces:
    """How long everybody is expected to take."""

    def __init__(self, outlook: Outlook) -> None:
        self._paces = {one.worker_id: one.pace for one in outlook.hands.values() if one.pace}
        self.is_any_known = bool(self._paces)
        self._typical = median(self._paces.values()) if self._paces else UNMEASURED

    def is_known(self, worker_id: str) -> bool:
        """Whether a worker was measured."""
        return worker_id in self._paces

    def is_quick(self, worker_id: str) -> bool:
        """Whether a worker was measured, and is no slower than usual."""
        return self._paces.get(worker_id, float("inf")) <= self._typical

    def is_over_time(self, attempt: Attempt, shortest_s: float) -> bool:
        """Whether a worker has a chunk for longer than it may, and never before ``shortest_s``."""
        expected_s = self.expected_s(attempt.worker_id, attempt.duration_s)
        return attempt.elapsed_s > max(TIME_OUT * expected_s, shortest_s)

    def expected_s(self, worker_id: str, duration_s: float) -> float:
        """How long a worker is expected to take over a chunk of this length."""
        return OVERHEAD_S + duration_s * self._paces.get(worker_id, self._typical)


def _by_others(worker_id: str, outlook: Outlook) -> dict[str, list[Attempt]]:
    """The chunks that others have and this worker has not, each with who has it."""
    found: dict[str, list[Attempt]] = {}
    for one in outlook.attempts:
        found.setdefault(one.name, []).append(one)
    return {
        name: holders
        for name, holders in found.items()
        if all(one.worker_id != worker_id for one in holders)
    }


def _left_s(attempt: Attempt, paces: _Paces) -> float:
    """How much longer an attempt is expected to take; a late one as long as it has taken yet."""
    expected_s = paces.expected_s(attempt.worker_id, attempt.duration_s)
    if attempt.elapsed_s > LATE * expected_s:
        return attempt.elapsed_s
    return max(expected_s - attempt.elapsed_s, SOON * expected_s)


def _free_at(worker_id: str, outlook: Outlook, paces: _Paces) -> dict[str, float]:
    """When this worker, and those that are at work, can begin with another chunk.

    Idle others are left out: who waits for work has asked for it, or will not ask.
    """
    left: dict[str, list[float]] = {worker_id: []}
    for one in outlook.attempts:
        left.setdefault(one.worker_id, []).append(_left_s(one, paces))
    free_s: dict[str, float] = {}
    for name, times in left.items():
        hand = outlook.hands.get(name)
        if hand is None or not (hand.takes_more or name == worker_id):
            continue
        is_full = len(times) >= hand.slots
        free_s[name] = max(min(times), sum(times) / hand.slots) if is_full and times else 0.0
    return free_s
