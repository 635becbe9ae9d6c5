"""Steps that no release has: they prove the machinery on records of all kinds."""

from __future__ import annotations

import msgspec

from orchard import keys
from orchard.domain.errors import DamagedRecord
from orchard.upgrades.step import Record, Step
from statecore.store.schema import Release

NEXT = Release("9.0.0", 3, 2)
"""A later release than ours."""


def mark(record: Record):
    """Every job and every result says that it was seen."""
    try:
        found = msgspec.json.decode(record.value, type=dict)
    except msgspec.MsgspecError as fault:
        raise DamagedRecord(f"no object: {fault}") from None
    if "seen" in found:
        return None
    return record.rewritten(msgspec.json.encode(found | {"seen": 1}))


MARK = Step(3, "mark jobs and results", (keys.job(""), keys.results("")), mark)
