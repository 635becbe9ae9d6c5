"""Trace contexts as they travel: a ``traceparent`` of W3C Trace Context, and whose child one is.

The span of a job or a chunk is made when it is over, by whoever ends it; those inside it are made
before, elsewhere. So its id is not drawn but follows from its name: everybody knows it.
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

_FORM = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_NOTHING = re.compile("0+")


class Parent(NamedTuple):
    """One span, seen from elsewhere."""

    trace_id: int
    span_id: int
    flags: int
    """Whether the trace is kept (1), as its first span decided."""

    def __str__(self) -> str:
        """As it stands in a ``traceparent`` header."""
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{self.flags:02x}"


def parse(traceparent: str) -> Parent | None:
    """The span that a ``traceparent`` names; ``None`` when it is none."""
    found = _FORM.fullmatch(traceparent)
    if found is None or any(_NOTHING.fullmatch(one) for one in found.groups()[:2]):
        return None
    trace_id, span_id, flags = (int(one, 16) for one in found.groups())
    return Parent(trace_id, span_id, flags & 1)


def named(traceparent: str, *words: object) -> str:
    """The span of this name in the trace of ``traceparent``; empty when that is none."""
    known = parse(traceparent)
    if known is None:
        return ""
    name = "/".join([f"{known.trace_id:032x}", *map(str, words)])
    span_id = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") or 1
    return str(known._replace(span_id=span_id))
