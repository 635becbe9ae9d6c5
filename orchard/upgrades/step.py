"""A step of an upgrade: what a record must become to be of the next version of the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from statecore.store import ops


class Record(NamedTuple):
    """One value in the engine: a string, or a field of a hash."""

    key: str
    """The name of its key, without a partition."""
    field: str | None
    """Its name in the hash; ``None``: it is a string."""
    value: bytes
    """What it holds; what was sealed is opened."""
    ttl_ms: int | None
    """How long its key still lives; ``None``: for ever."""

    @property
    def cell(self) -> ops.Cell:
        """Where it stands."""
        return ops.Key(self.key) if self.field is None else ops.Field(self.key, self.field)

    @property
    def place(self) -> str:
        """Its name for people."""
        return self.key if self.field is None else f"{self.key} {self.field}"

    def rewritten(self, value: bytes) -> Change:
        """It holds something else from now on, and lives as long as before."""
        if self.field is None:
            return Change((ops.Set(self.key, value, self.ttl_ms),))
        return Change((ops.HashSet(self.key, {self.field: value}),))


class Change(NamedTuple):
    """What is written for a record, in one commit that expects it unchanged.

    All of it has to be in the record's partition.
    """

    writes: tuple[ops.Write, ...]


Plan = Callable[[Record], Change | None]
"""What a record needs; ``None``: it is of the new version. Asked again, it says the same.

Raises:
    DamagedRecord: it cannot be told, because the record is none; it stays as it is.
"""


class Step(NamedTuple):
    """The way from one version of the state to the next."""

    version: int
    """The version that it leads to."""
    what: str
    """What it does, in words."""
    kinds: tuple[str, ...]
    """How the names of the keys begin whose records it looks at."""
    plan: Plan

    def concerns(self, key: str) -> bool:
        """Whether it looks at the records of a key."""
        return key.startswith(self.kinds)


class StepModule(Protocol):
    """What a module in ``orchard/upgrades/steps`` has."""

    STEP: Step
