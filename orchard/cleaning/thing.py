"""What an action is done to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

Filters = Mapping[str, str]


class Thing(NamedTuple):
    """One thing that an action may be done to."""

    name: str
    """What it is told apart by."""
    state: str
    shown: str = ""
    """A line for people."""
    mark: str = ""
    """What it is known by as it was when it was shown: a token or a version. An action on
    what has become something else since is refused."""

    def line(self) -> str:
        """What a run keeps of it."""
        return f"{self.name}\t{self.state}\t{self.mark}"

    @classmethod
    def of_line(cls, line: str) -> Thing:
        """What a run has kept."""
        name, state, mark = (*line.split("\t"), "", "")[:3]
        return cls(name, state, mark=mark)
