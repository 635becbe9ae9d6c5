"""What this site seals, and with which keys; the site says so once, at start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from statecore.sealing.key_ring import Key, KeyRing


class Part(StrEnum):
    """What can be sealed apart from the rest."""

    STATE = "state"
    """Values of namespaced state and of issues, and the events that tell of them."""
    TRANSCRIPTS = "transcripts"
    """What chunks have brought, and edits, in the engine."""
    RECORDS = "records"
    """All other records, which other programs of the contracts can then no longer read."""
    FILES = "files"
    """Recordings, their chunks and transcripts in the storage."""
    BACKUPS = "backups"
    """Backups, exports, and what a fallback saves."""


def _nothing(key: str) -> bool:
    return False


@dataclass(frozen=True)
class Sealing:
    """A key ring, and what is sealed with its first key; what is sealed opens in any case."""

    ring: KeyRing | None = None
    parts: frozenset[Part] = frozenset()
    seals: Callable[[str], bool] = _nothing
    """Whether what is written to a key of the state engine is sealed."""

    def key_for(self, part: Part) -> Key | None:
        """What seals a part; ``None`` when it is kept as it is."""
        return self.ring.first if self.ring and part in self.parts else None


_open: Callable[[], Sealing] = Sealing


def configure(open_sealing: Callable[[], Sealing]) -> Callable[[], Sealing]:
    """Say where the answer comes from, which is asked whenever it is needed; who said it before."""
    global _open
    before, _open = _open, open_sealing
    return before


def sealing_of_site() -> Sealing:
    """What this site seals, and with which keys."""
    return _open()
