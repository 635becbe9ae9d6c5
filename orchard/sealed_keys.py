"""Which keys of the state engine belong to which part of what is sealed."""

from __future__ import annotations

from collections.abc import Callable, Collection

from orchard import keys
from statecore import keys as state_keys
from statecore.sealing.site import Part

PREFIXES: dict[Part, tuple[str, ...]] = {
    Part.STATE: (state_keys.state(""), state_keys.change("")),
    Part.TRANSCRIPTS: (keys.results(""), keys.edits("")),
    Part.RECORDS: (
        keys.job(""), keys.chunks(""), "user_pref:", "idempotency:", "poppo:issue:",
        state_keys.label(""), state_keys.answer(""),
    ),
}  # fmt: skip
"""How the names of a part's keys begin; all are strings, hashes or streams."""


def sealed_by(parts: Collection[Part]) -> Callable[[str], bool]:
    """Whether what is written to a key is sealed.

    Events tell of values, so they are sealed with the first part of the engine.
    """
    chosen = tuple(prefix for part in PREFIXES if part in parts for prefix in PREFIXES[part])

    def seals(key: str) -> bool:
        return bool(chosen) and (key.startswith(chosen) or key == keys.EVENTS)

    return seals
