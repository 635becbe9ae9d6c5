"""What a type of jobs is: a plug-in accepts a file, splits it, checks results, aggregates them.

``accept``, ``split`` and ``aggregate`` run in pipeline processes (``accept`` also while the
file is handed in), ``check`` where results come in: it must be quick, and do nothing else.
Whatever raises there fails the job, with the name of the type and of the step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import msgspec


class Unacceptable(Exception):
    """The file is none that this type can work on; the message is shown to its sender."""


class BadResult(Exception):
    """A worker's result is not what was asked for; the piece is given to another."""


def ignore_progress(share: float) -> None:
    """Tell nobody how far the work is."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A job, as its type sees it."""

    path: Path
    """The file that was handed in, on the local disk."""
    filename: str
    """As its sender called it."""
    folder: Path
    """For files of one's own; gone afterwards."""
    progress: Callable[[float], None] = ignore_progress
    """To be told now and then how far the work is (0 to 1); what it raises ends the work."""


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """What one worker gets."""

    payload: bytes | Path
    cost_ms: int = 1000
    """About how long a worker will take, in milliseconds; the longest are handed out first."""
    facts: dict[str, Any] = {}
    """A few words of JSON for the worker and for the check, at most 4 kB."""


class PieceResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker made of a piece."""

    index: int
    text: str
    facts: dict[str, Any]
    """Those of the piece."""
    metadata: dict[str, Any] = {}


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """What a job leads to: one file."""

    content: bytes | Path
    name: str = "output.txt"


@runtime_checkable
class JobType(Protocol):
    """A type of jobs; one object of it serves a whole process, in several threads at once."""

    name: str
    """Small letters, digits, dashes and underscores; workers say by it what they can do."""
    title: str
    """For people."""

    def accept(self, task: Task) -> None:
        """Look whether this is a file to work on.

        Raises:
            Unacceptable: it is not.
        """
        ...

    def split(self, task: Task) -> Iterable[Piece]:
        """The pieces, in their order; done again from the start after a failure."""
        ...

    def check(self, result: PieceResult) -> None:
        """Look at a result before it counts.

        Raises:
            BadResult: it is not what was asked for.
        """
        ...

    def aggregate(self, task: Task, results: Sequence[PieceResult]) -> Output:
        """Put the results together, which are complete and in order."""
        ...
