"""How an entry has changed, as the lines that went and came."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from django.utils.translation import pgettext

from orchard.web.json_shown import pretty
from statecore.services.browsing import Revision

LONGEST_CHARS = 20_000
"""Longer values are not compared line by line."""
MOST_LINES = 60


@dataclass(frozen=True)
class Line:
    """One line of a difference; ``sign`` is ``+``, ``-``, ``…`` or nothing."""

    sign: str
    text: str


@dataclass(frozen=True)
class ShownRevision:
    """One change of an entry."""

    revision: Revision

    @property
    def state(self) -> str:
        """``created``, ``changed`` or ``deleted``."""
        if self.revision.version == 0:
            return "deleted"
        return "changed" if self.revision.old is not None or not self.is_known else "created"

    @property
    def label(self) -> str:
        words = {
            "created": pgettext("entry", "created"),
            "changed": pgettext("entry", "changed"),
            "deleted": pgettext("entry", "deleted"),
        }
        return words[self.state]

    @property
    def is_known(self) -> bool:
        return self.revision.known

    @property
    def is_small(self) -> bool:
        return len(self.revision.old or "") + len(self.revision.new or "") <= LONGEST_CHARS

    @property
    def lines(self) -> list[Line]:
        """What went and what came; nothing when it is not known, or too much."""
        if not (self.is_known and self.is_small):
            return []
        found = list(_difference(_lines(self.revision.old), _lines(self.revision.new)))
        return found[:MOST_LINES] + ([Line("…", "")] if len(found) > MOST_LINES else [])


def _lines(text: str | None) -> list[str]:
    if text is None:
        return []
    try:
        return pretty(json.loads(text)).splitlines()
    except (ValueError, RecursionError):
        return text.splitlines()


def _difference(old: list[str], new: list[str]) -> Iterator[Line]:
    told = difflib.unified_diff(old, new, n=1, lineterm="")
    for line in islice(told, 3, None):  # after the names of files, and the first place
        yield Line("…", "") if line.startswith("@@") else Line(line[:1].strip(), line[1:])
