"""The format of an export: one JSON document, with each entry on a line of its own.

So it is written and read line by line, in little memory, and yet any program can
read it. ``docs/files.md`` describes it.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

FORMAT, VERSION = "orchard-state", 1
NAMESPACES = "namespaces"
PROCESSES, LABELS = "processes", "labelRequests"
METADATA, HISTORY, DAMAGED = "issueMetadata", "issueHistory", "damaged"
SECTIONS = (NAMESPACES, PROCESSES, LABELS, METADATA, HISTORY, DAMAGED)
"""The parts of an export, in their order; the first has an object for each namespace."""

LINE_MAX = 64 * 1024 * 1024
"""Bytes that a line may have; a longer one is none of ours."""
CHECKSUM = re.compile(rb'"sha256": "([0-9a-f]{64})"')


class Head(NamedTuple):
    """What an export says of itself."""

    version: int
    exported_at: str
    source: str
    """The kind of store that it was made from."""


class Row(NamedTuple):
    """One entry of an export."""

    section: str
    namespace: str
    """Empty outside of the section of namespaces."""
    name: str
    raw: bytes
    line: int


class BadExport(ValueError):
    """A file is no export that can be read; says why."""


class NewerExport(BadExport):
    """An export was made by a newer version of this program."""


def check_version(found: Any) -> int:
    """The version of an export.

    Raises:
        NewerExport: this program is too old for it.
        BadExport: it is no version.
    """
    if isinstance(found, bool) or not isinstance(found, int) or found < 1:
        raise BadExport("it names no version of the format")
    if found > VERSION:
        raise NewerExport(f"it is of version {found}; this program reads up to version {VERSION}")
    return found
