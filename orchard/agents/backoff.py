"""Rests between attempts to reach a master that does not answer."""

from __future__ import annotations

import random

FIRST_S = 0.5
LONGEST_S = 15.0


class Backoff:
    """Doubling rests with jitter, so that a fleet does not come back all at once."""

    def __init__(self) -> None:
        self._failures = 0

    def reset(self) -> None:
        """Begin anew: the master has answered."""
        self._failures = 0

    def next_s(self, asked_s: float | None = None) -> float:
        """How long to rest now, in seconds; ``asked_s`` is what the master asked for."""
        ceiling = min(LONGEST_S, FIRST_S * 2**self._failures)
        self._failures = min(self._failures + 1, 10)
        rest_s = random.uniform(ceiling / 2, ceiling)  # noqa: S311 - spreads load, hides nothing
        return max(rest_s, min(asked_s, LONGEST_S)) if asked_s else rest_s
