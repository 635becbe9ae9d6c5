"""A type of jobs that raises in whichever of its steps the file's content names."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from orchard.jobtypes.base import BadResult, Output, Piece, PieceResult, Task, Unacceptable


class Broken:
    """Two pieces for each file; what the file says decides which step raises."""

    name = "broken"
    title = "Broken"

    def accept(self, task: Task) -> None:
        said = task.path.read_text()
        if said == "unacceptable":
            raise Unacceptable("too short to be sad")
        _raise_in("accept", said)

    def split(self, task: Task) -> Iterator[Any]:
        said = task.path.read_text()
        yield Piece(payload=said.encode(), cost_ms=1000, facts={"said": said})
        _raise_in("split", said)
        yield "no piece" if said == "odd" else Piece(payload=b"2", facts={"said": said})

    def check(self, result: PieceResult) -> None:
        _raise_in("check", result.facts["said"])
        if result.text == "bad":
            raise BadResult("it says bad")

    def aggregate(self, task: Task, results: Sequence[PieceResult]) -> Any:
        said = task.path.read_text()
        _raise_in("aggregate", said)
        name = "../escape" if said == "escape" else "out.txt"
        return Output(content="\n".join(one.text for one in results).encode(), name=name)


def _raise_in(step: str, said: str) -> None:
    if said == f"raise in {step}":
        raise ZeroDivisionError("on purpose")
    if said == f"exit in {step}":
        sys.exit(3)


class Unfinished:
    """Lacks most of what a type needs."""

    name = "unfinished"


def not_there() -> None:
    raise RuntimeError("cannot even be made")
