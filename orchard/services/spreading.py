"""Spreading: new jobs go to the partition that this process has given least to lately.

Names are drawn by chance, and chance alone is uneven: of a thousand jobs the fullest of
64 partitions gets twice its share. A choice among a few names evens that out (Azar et al.,
*Balanced Allocations*, 1999), and needs nothing but what this process remembers.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence

FORGET_AFTER = 10_000
"""After so many jobs what was given before counts half: they may have ended long ago."""


class Spread:
    """How many jobs this process gave to each partition; safe between threads."""

    def __init__(self) -> None:
        self._given: defaultdict[int, float] = defaultdict(float)
        self._jobs = 0
        self._lock = threading.Lock()

    def choose(self, places: Sequence[int]) -> int:
        """Which of some places to take, as an index; what is given there is noted.

        Jobs count alike: how much work one will be is known when it is cut, and its bytes
        say less than nothing, because formats differ tenfold.
        """
        with self._lock:
            chosen = min(range(len(places)), key=lambda i: self._given[places[i]])
            self._given[places[chosen]] += 1
            self._jobs += 1
            if self._jobs % FORGET_AFTER == 0:
                for place in self._given:
                    self._given[place] /= 2
            return chosen
