"""Processes in one thread that take turns request by request, as a seed decides.

Services are generators of requests to a store, so a process can be stopped
between any two of them: for a while, or for ever, which is ``kill -9``. A seed
always leads to the same history, so what is found once can be looked at again.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from statecore.store import ops
from statecore.store.lastseen import LastSeen
from statecore.store.memory import MemoryStore
from statecore.store.steps import Steps

IDLE = ops.Pause(0.0)
"""What a process asks for when it has nothing to do."""


@dataclass
class Process:
    """One process: what it does, and what it remembers of the store."""

    name: str
    script: Steps[None]
    seen: LastSeen
    reply: Any = None
    fault: Exception | None = None


class Turns:
    """A store and the processes that use it; ``turns`` is the time."""

    def __init__(self, seed: int, store: MemoryStore) -> None:
        self.chance = random.Random(seed)
        self.store = store
        self.turns = 0
        self.deaths = 0
        self.processes: list[Process] = []

    def start(self, name: str, script: Steps[None]) -> None:
        """Let a process begin."""
        self.processes.append(Process(name, script, LastSeen()))

    def replace(self, victim: Process, script: Steps[None]) -> None:
        """A process dies where it stands, and another of its name begins."""
        self.deaths += 1
        self.processes.remove(victim)
        self.start(victim.name, script)

    def turn(self) -> None:
        """One request of one process."""
        self.turns += 1
        process = self.chance.choice(self.processes)
        fault, process.fault = process.fault, None
        try:
            request = process.script.throw(fault) if fault else process.script.send(process.reply)
        except StopIteration:
            self.processes.remove(process)
            return
        try:
            process.reply = self._answer(process, request)
        except Exception as error:  # raised inside the process on its next turn, as by a driver
            process.fault = error

    def _answer(self, process: Process, request: Any) -> Any:
        kind = type(request)
        if kind is ops.Begin:
            return process.seen.recall(request.cells), self.store.now()
        if kind is ops.Finish:
            return process.seen.learn(request.expected, request.writes)
        if kind is ops.Recall:
            return process.seen.recall(request.cells)
        if kind is ops.Remember:
            return process.seen.remember(request.seen)
        if kind is ops.Now:
            return self.store.now()
        if kind is ops.Locate:
            return self.store.locate(request.keys)
        if kind is ops.Together:
            return self.store.perform_all(request.requests)
        if kind is ops.Pause:
            return None  # each process is alone in itself
        return self.store.perform(request)
