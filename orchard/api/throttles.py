"""How much one guest may ask in a minute: plenty for programs and people, little for strangers."""

from __future__ import annotations

import threading
import time
from typing import Any

from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from orchard.conf import get_conf
from orchard.guests import address_of
from orchard.tokens import Bearer

WINDOW_S = 60


class OwnCounts:
    """Counts of this process alone, for paths that have no time to ask the cache."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._window = 0
        self._counts: dict[str, int] = {}

    def add(self, who: str, window: int) -> int:
        """Count one, and tell how many there were in this window."""
        with self._lock:
            if window != self._window:
                self._window = window
                self._counts.clear()
            count = self._counts.get(who, 0) + 1
            self._counts[who] = count
            return count


own_counts = OwnCounts()


class Throttle(BaseThrottle):
    """Counts requests by token, person or address in windows of one minute.

    The counts are in the cache, for all web processes; those of hot paths in
    the process. While the cache is away nobody is stopped: whoever needs the
    state engine is refused by its absence anyway.
    """

    known_limit = get_conf().throttle_known
    hot_limit = get_conf().throttle_hot
    stranger_limit = get_conf().throttle_strangers

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count a request; false when there were too many."""
        is_hot = view.is_hot
        who, limit = self._identify(request, is_hot)
        window = int(time.time() // WINDOW_S)
        if is_hot:
            return own_counts.add(who, window) <= limit
        count = _count(f"throttle:{who}:{window}")
        return count is None or count <= limit

    def wait(self) -> float:
        """Seconds until the next window."""
        return WINDOW_S - time.time() % WINDOW_S

    def _identify(self, request: Request, is_hot: bool) -> tuple[str, int]:
        known_limit = self.hot_limit if is_hot else self.known_limit
        if isinstance(request.auth, Bearer):
            return f"token:{request.auth.token_id}", known_limit
        if request.user and request.user.is_authenticated:
            return f"user:{request.user.pk}", known_limit
        return f"from:{address_of(request)}", self.stranger_limit


def _count(key: str) -> int | None:
    """How often this key was counted, with this time; ``None`` when the cache is away."""
    try:
        return int(cache.incr(key))
    except ValueError:  # the first of its window
        return 1 if cache.add(key, 1, 2 * WINDOW_S) else None
    except Exception:  # the cache's driver has its own errors, and none of them may stop a request
        return None
