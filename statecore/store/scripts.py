"""The Lua scripts of the store, one operation a file, each with its contract in its header."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Script:
    """A script by name, with its text and the name by which an engine knows it."""

    name: str
    source: str
    sha: str


def load(name: str) -> Script:
    """The script in ``lua/<name>.lua``."""
    source = files("statecore.store").joinpath("lua", f"{name}.lua").read_text("utf-8")
    return script(name, source)


def script(name: str, source: str) -> Script:
    """A script from its text."""
    return Script(name, source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


COMMIT, TAKE, READ, SCAN, TAIL = map(load, ("commit", "take", "read", "scan", "tail"))
SCRIPTS = (COMMIT, TAKE, READ, SCAN, TAIL)
