"""Simulated fleets: seeded worlds of discrete events, and the assignment of production in them.

Nothing of the policy is here: whoever is free asks :mod:`orchard.domain.assignments`
what to do, with an outlook like the one that services read from the engine. Speeds are
learned from the chunks that were done, as in production, and from nothing else.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

from orchard.domain import assignments
from orchard.domain.assignments import Attempt, Choice, Hand, Outlook, Waiting

LEASE_S = 30.0
"""After so long a silence a chunk is taken from its worker (``ORCHARD_CHUNK_LEASE_S``)."""
LOOK_AGAIN_S = 2.0
"""A worker that got nothing asks again so often."""
TOLD_S = 2.0
"""So soon a worker learns at the latest that it has lost its chunk."""
HANDLING_S = 0.3
"""To claim a chunk, fetch its sound and report it."""
NOISE = 0.1
"""Spread of the speed from chunk to chunk (sigma of its logarithm)."""

Policy = Callable[[str, Outlook], Choice | None]


class Worker(NamedTuple):
    """A worker of a simulated fleet."""

    name: str
    speed: float
    """Seconds of sound that it transcribes in a second."""
    dies_s: float = float("inf")
    stalls_s: float = float("inf")
    """When it stops working while it goes on to give signs of life."""
    stalls_for_s: float = 0.0


class World(NamedTuple):
    """A fleet and a recording, before anything has happened."""

    workers: tuple[Worker, ...]
    chunks: tuple[float, ...]
    """How long each chunk is, in seconds."""
    seed: int


def make_world(seed: int, *, faults: bool = False) -> World:
    """4-12 workers with speeds of 0.3-2, 60-240 chunks of mostly 30-60 s.

    With faults each worker dies, or stalls for one to ten minutes, with a chance of
    one in five each, at any moment of the work; one is spared.
    """
    chance = random.Random(seed)
    speeds = [chance.uniform(0.3, 2.0) for _ in range(chance.randint(4, 12))]
    chunks = tuple(_length_s(chance) for _ in range(chance.randint(60, 240)))
    fleet = [Worker(f"w{i}", speed) for i, speed in enumerate(speeds)]
    if faults:
        ends_s = sum(chunks) / sum(speeds)
        spared = chance.randrange(len(fleet))
        fleet = [
            one if i == spared else _troubled(one, ends_s, chance) for i, one in enumerate(fleet)
        ]
    return World(tuple(fleet), chunks, seed)


def _length_s(chance: random.Random) -> float:
    """A chunk as the splitter cuts it: in a pause between 30 and 60 s, one in ten later."""
    return chance.uniform(60, 180) if chance.random() < 0.1 else chance.uniform(30, 60)


def _troubled(worker: Worker, ends_s: float, chance: random.Random) -> Worker:
    lot, at_s = chance.random(), chance.uniform(0, ends_s)
    if lot < 0.2:
        return worker._replace(dies_s=at_s)
    if lot < 0.4:
        return worker._replace(stalls_s=at_s, stalls_for_s=chance.uniform(60, 600))
    return worker


def ideal_s(world: World) -> float:
    """No fleet could be done earlier: all capacity there is, used from the first moment on.

    That is the moment at which the workers that live and do not stall could have done all
    the sound together, and no less than the longest chunk takes on the fastest.
    """
    total = sum(world.chunks)
    edges = sorted(
        edge
        for one in world.workers
        for edge in (one.dies_s, one.stalls_s, one.stalls_s + one.stalls_for_s)
        if edge < float("inf")
    )
    done = since_s = 0.0
    for edge in [*edges, float("inf")]:
        speed = sum(one.speed for one in world.workers if _is_working(one, since_s))
        if speed and done + speed * (edge - since_s) >= total:
            break
        done, since_s = done + speed * (edge - since_s), edge
    longest_s = max(world.chunks) / max(one.speed for one in world.workers)
    return max(since_s + (total - done) / speed, longest_s)


def _is_working(worker: Worker, at_s: float) -> bool:
    stalls = worker.stalls_s <= at_s < worker.stalls_s + worker.stalls_for_s
    return at_s < worker.dies_s and not stalls


def plain_pull(worker: str, outlook: Outlook) -> Choice | None:
    """What the policy is measured against: whoever asks gets the longest chunk that waits."""
    return Choice(outlook.waiting[0].name) if outlook.waiting else None


def assigned(worker: str, outlook: Outlook) -> Choice | None:
    """The policy of production."""
    return next(iter(assignments.choose(worker, outlook, shortest_s=LEASE_S)), None)


def speed_aware(worker: str, outlook: Outlook) -> Choice | None:
    """A part of it: who is slow gets nothing that others would finish earlier; no copies."""
    return next(iter(assignments.choose_waiting(worker, outlook)), None)


def copies_only(worker: str, outlook: Outlook) -> Choice | None:
    """Another part: longest first for everybody, and copies of stragglers in the end."""
    return plain_pull(worker, outlook) or assignments.choose_straggler(worker, outlook)


class Simulation:
    """One run of a world under a policy."""

    def __init__(self, world: World, policy: Policy) -> None:
        self._world, self._policy = world, policy
        self._chance = random.Random(world.seed + 1)
        self._lengths = {f"c{i}": length for i, length in enumerate(world.chunks)}
        self._waiting = sorted(self._lengths, key=lambda name: -self._lengths[name])
        self._open = set(self._lengths)
        self._held: dict[str, list[tuple[str, float]]] = {}
        """Who has each chunk, and since when."""
        self._ratios: dict[str, list[float]] = {one.name: [] for one in world.workers}
        self._workers = {one.name: one for one in world.workers}
        self._at: dict[str, tuple[str, float] | None] = dict.fromkeys(self._workers)
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._numbers = itertools.count()
        self.duplicates = 0

    def run(self) -> float:
        """The makespan: when the last chunk is done, in seconds."""
        names = list(self._workers)
        self._chance.shuffle(names)
        for name in names:
            self._plan(0.0, lambda at_s, name=name: self._ask(name, at_s))  # type: ignore[misc]
        at_s = 0.0
        while self._open:
            at_s, _, happen = heapq.heappop(self._events)
            happen(at_s)
        return at_s

    def _plan(self, at_s: float, happen: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (at_s, next(self._numbers), happen))

    def _ask(self, name: str, at_s: float) -> None:
        """A free worker asks for a chunk, unless it is dead or stalls."""
        worker = self._workers[name]
        if at_s >= worker.dies_s:
            return
        back_s = worker.stalls_s + worker.stalls_for_s
        if worker.stalls_s <= at_s < back_s:
            self._plan(back_s, lambda later_s: self._ask(name, later_s))
            return
        choice = self._policy(name, self._look(at_s))
        if choice is None:
            self._plan(at_s + LOOK_AGAIN_S, lambda later_s: self._ask(name, later_s))
        else:
            self._begin(name, choice, at_s)

    def _begin(self, name: str, choice: Choice, at_s: float) -> None:
        worker, chunk = self._workers[name], choice.name
        if choice.is_duplicate:
            self._copy(chunk, at_s)
        else:
            self._waiting.remove(chunk)
        self._held.setdefault(chunk, []).append((name, at_s))
        took_s = self._lengths[chunk] / worker.speed * self._chance.lognormvariate(0, NOISE)
        ends_s = at_s + HANDLING_S + took_s
        if at_s < worker.stalls_s < ends_s:
            ends_s += worker.stalls_for_s
        self._at[name] = (chunk, at_s)
        if ends_s < worker.dies_s:
            self._plan(ends_s, lambda end_s: self._end(name, chunk, at_s, took_s, end_s))
        else:
            self._plan(worker.dies_s + LEASE_S, lambda end_s: self._lose(name, chunk, at_s))

    def _end(self, name: str, chunk: str, began_s: float, took_s: float, at_s: float) -> None:
        """A worker has done its chunk, unless it was told before that it is not needed."""
        if self._at[name] != (chunk, began_s):
            return
        self._at[name] = None
        if chunk in self._open and (name, began_s) in self._held.get(chunk, ()):
            self._open.remove(chunk)
            self._ratios[name].append(took_s / self._lengths[chunk])
            for other, since_s in self._held.pop(chunk):
                if other != name:
                    self._take_away(other, chunk, since_s, at_s)
        self._ask(name, at_s)

    def _copy(self, chunk: str, at_s: float) -> None:
        """A chunk goes to one more worker; of two that have it, the first one loses it."""
        self.duplicates += 1
        if len(self._held[chunk]) == 2:
            other, since_s = self._held[chunk].pop(0)
            self._take_away(other, chunk, since_s, at_s)

    def _take_away(self, name: str, chunk: str, since_s: float, at_s: float) -> None:
        self._plan(at_s + TOLD_S, lambda told_s: self._tell(name, chunk, since_s, told_s))

    def _tell(self, name: str, chunk: str, began_s: float, at_s: float) -> None:
        """A worker learns that its chunk was done by another."""
        if self._at[name] == (chunk, began_s):
            self._at[name] = None
            self._ask(name, at_s)

    def _lose(self, name: str, chunk: str, began_s: float) -> None:
        """A worker has been silent for too long."""
        if chunk not in self._open or (name, began_s) not in self._held.get(chunk, ()):
            return
        left = [held for held in self._held[chunk] if held != (name, began_s)]
        self._held[chunk] = left
        if not left:
            del self._held[chunk]
            self._waiting.append(chunk)
            self._waiting.sort(key=lambda one: -self._lengths[one])

    def _look(self, at_s: float) -> Outlook:
        waiting = [Waiting(name, self._lengths[name]) for name in self._waiting]
        hands = {
            name: Hand(name, assignments.pace_of(ratios)) for name, ratios in self._ratios.items()
        }
        is_crowded = len(waiting) >= assignments.SEEN
        seen = waiting[: assignments.SEEN]
        return Outlook(seen, list(self._attempts(at_s)), hands, is_crowded)

    def _attempts(self, at_s: float) -> Iterator[Attempt]:
        for chunk, holders in self._held.items():
            for name, since_s in holders:
                yield Attempt(chunk, self._lengths[chunk], name, at_s - since_s)


def makespan_ratio(seed: int, policy: Policy, *, faults: bool = False) -> float:
    """How many times as long as ideal a world takes under a policy."""
    world = make_world(seed, faults=faults)
    return Simulation(world, policy).run() / ideal_s(world)
