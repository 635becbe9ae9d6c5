"""How long a start waits for an embedded engine that does not answer, and what is said of it."""

from __future__ import annotations

import logging
import time

from statecore.store.errors import StoreUnavailable

logger = logging.getLogger(__name__)

LEAST_PATIENCE_S = 10.0
TELL_AFTER_S = 3.0
"""A wait that is longer than this is told; others are usual."""


class Patience:
    """One wait, from now on, of so many seconds at most."""

    def __init__(self, longest_s: float = LEAST_PATIENCE_S) -> None:
        self._longest_s = longest_s
        self._began = time.monotonic()
        self._has_told = False

    def check(self) -> None:
        """There is no answer yet.

        Raises:
            StoreUnavailable: there has been none for as long as one waits.
        """
        waited_s = time.monotonic() - self._began
        if waited_s >= self._longest_s:
            raise StoreUnavailable(
                "The embedded engine does not answer; it may stand still or be overloaded."
                f" Waited for {self._longest_s:g} s"
            )
        if waited_s >= TELL_AFTER_S and not self._has_told:
            self._has_told = True
            logger.warning(
                "The embedded engine does not answer; waiting for it, %g s at most", self._longest_s
            )

    def end(self) -> None:
        """It has answered."""
        if self._has_told:
            waited_s = time.monotonic() - self._began
            logger.warning("The embedded engine answers again, after %.0f s", waited_s)
