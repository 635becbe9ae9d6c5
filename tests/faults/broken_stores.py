"""Stores that are broken on purpose, to see whether the checks speak up."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from statecore.store import ops
from statecore.store.clock import ManualClock
from statecore.store.memory import MemoryStore


class Careless(MemoryStore):
    """A store that writes whatever it is told, whoever was there meanwhile."""

    def perform(self, request: ops.Request) -> Any:
        """Do one request; a commit expects nothing."""
        if isinstance(request, ops.Commit):
            request = ops.Commit({}, request.writes)
        return super().perform(request)


class Sealed(MemoryStore):
    """A store whose takes never look for leases that have run out."""

    def perform(self, request: ops.Request) -> Any:
        """Do one request; what is taken is the queue's alone."""
        if isinstance(request, ops.Take):
            nowhere = f"{request.leases}:of-nobody"
            taken = super().perform(replace(request, leases=nowhere))
            super().perform(ops.Commit({}, (ops.Delete((nowhere,)),)))
            return taken
        return super().perform(request)


class Forgetful(MemoryStore):
    """A store that says of one commit in seven that it is done, and forgets it."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self._commits = 0

    def perform(self, request: ops.Request) -> Any:
        """Do one request, or not."""
        if isinstance(request, ops.Commit):
            self._commits += 1
            if self._commits % 7 == 0:
                return ops.Committed()
        return super().perform(request)


class Hasty(MemoryStore):
    """A store that does each commit twice, as a driver would that repeats what was not answered."""

    def perform(self, request: ops.Request) -> Any:
        """Do one request; appending to a stream twice tells everything twice."""
        reply = super().perform(request)
        if isinstance(request, ops.Commit) and isinstance(reply, ops.Committed):
            super().perform(ops.Commit({}, request.writes))
        return reply
