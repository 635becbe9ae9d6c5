"""Examiners of records: each judges a snapshot, and writes anew what follows from the record."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from statecore.services.doctor.symptoms import found
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.findings import Examiner, Finding, Subject

Fault = tuple[str, str]
"""The code of a symptom, and what is wrong in one sentence."""


class Seen(Protocol):
    """A thing of one kind at one moment, and all that is said of it."""

    @property
    def name(self) -> str:
        """Its name among those of its kind."""
        ...


SeenT = TypeVar("SeenT", bound=Seen)


class RecordExaminer(Examiner, Generic[SeenT]):
    """Knows what follows from the records of one kind."""

    @abstractmethod
    def read(self, store: Store, names: Sequence[str]) -> Iterable[SeenT]:
        """These things, each at one moment."""

    @abstractmethod
    def judge(self, seen: SeenT, at: datetime) -> Iterable[Fault]:
        """All that is wrong with one of them."""

    @abstractmethod
    def record(self, seen: SeenT) -> Mapping[ops.Cell, bytes | None]:
        """What must not have changed when what follows from it is written."""

    @abstractmethod
    def writes(self, store: Store, seen: SeenT) -> Sequence[ops.Write]:
        """What follows from its record."""

    def look(self, store: Store, names: Sequence[str]) -> list[Finding]:
        """What is wrong with these things at this moment."""
        at = store.now()
        return [
            found(code, Subject(self.kind, seen.name), what)
            for seen in self.read(store, names)
            for code, what in self.judge(seen, at)
        ]

    def mend(self, store: Store, name: str) -> list[Finding]:
        """Write what follows from the record anew, if something is wrong; what was mended."""
        wrong = [each for each in self.look(store, [name]) if each.repair]
        for seen in self.read(store, [name]) if wrong else ():
            reply = store.commit(self.record(seen), self.writes(store, seen))
            return wrong if isinstance(reply, ops.Committed) else []
        return []
