"""Readings: how far a process has come through the events, kept beside what it made of them.

The place is kept in the transaction that keeps what was made. So a process may die anywhere, and
another may begin before the first has noticed: what was read and not kept is read again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar, cast

R = TypeVar("R", bound=Any)
"""A model with one row, which holds the cursor."""


class Overtaken(Exception):
    """Another process has gone on from the same place; what this one read does not count."""


class Follower(ABC, Generic[R]):
    """One process's way through the events: each step is one transaction, or none."""

    model: type[R]

    def __init__(self) -> None:
        self._reading: R | None = None
        self._unkept = 0
        """Events that were read since the place was kept."""

    @property
    def reading(self) -> R:
        """How far this database has come."""
        reading = self._reading
        if reading is None:
            reading, _ = self.model.objects.get_or_create(pk=1)
            self._reading, self._unkept = reading, 0
        return cast("R", reading)

    def step(self) -> bool:
        """Go one step on; true when there is more to be done at once.

        Raises:
            Overtaken: another process has changed the place meanwhile.
            EngineAway, DatabaseError: one of the two cannot be used; nothing was changed.
        """
        try:
            return self._step(self.reading)
        except BaseException:
            self._reading = None  # what is in memory may be ahead of what was kept
            raise

    @abstractmethod
    def _step(self, reading: R) -> bool:
        """Read on, and keep what came of it."""
