"""What is to become of a state directory: entries in the making, and what was noticed."""

from __future__ import annotations

import msgspec


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that a file holds; ``raw`` is its JSON text."""

    namespace: str
    key: str
    raw: bytes
    file: str


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Something that people should know of one entry of a file."""

    file: str
    key: str
    what: str
    is_refused: bool = False
    """Whether the entry cannot be taken over at all."""


class FilePlan(msgspec.Struct, frozen=True, kw_only=True):
    """One file: how many entries it holds, or why it cannot be read."""

    file: str
    kind: str
    entries: int = 0
    sha256: str = ""
    damaged: str = ""
    """What is wrong with the file; empty when nothing is."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All that a directory holds. Each entry stands there once: that of the newer kind of file."""

    entries: tuple[Planned, ...] = ()
    files: tuple[FilePlan, ...] = ()
    notes: tuple[Note, ...] = ()
    requests: int = 0
    """Label requests that wait as files; they stay files."""
    unknown: tuple[str, ...] = ()
    """JSON files of no kind that is known; they stay where they are."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """What one place in a file says."""

    namespace: str
    key: str
    raw: bytes = b""
    notes: tuple[str, ...] = ()
    refused: str = ""
    """Why it cannot become an entry; empty when it can."""


class Unreadable(ValueError):
    """A file is not what its name says; names what is wrong."""
