"""How much one guest may ask in a minute: plenty for programs and people, little for strangers."""

from __future__ import annotations

import time
from typing import Any

from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from orchard.conf import get_conf
from orchard.tokens import Bearer

WINDOW_S = 60


class Throttle(BaseThrottle):
    """Counts requests by token, person or address in windows of one minute.

    The counts are in the cache. While that is away nobody is stopped: whoever
    needs the state engine is refused by its absence anyway.
    """

    known_limit = get_conf().throttle_known
    stranger_limit = get_conf().throttle_strangers

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count a request; false when there were too many."""
        who, limit = self._identify(request)
        count = _count(f"throttle:{who}:{int(time.time() // WINDOW_S)}")
        return count is None or count <= limit

    def wait(self) -> float:
        """Seconds until the next window."""
        return WINDOW_S - time.time() % WINDOW_S

    def _identify(self, request: Request) -> tuple[str, int]:
        if isinstance(request.auth, Bearer):
            return f"token:{request.auth.token_id}", self.known_limit
        if request.user and request.user.is_authenticated:
            return f"user:{request.user.pk}", self.known_limit
        return f"from:{self.get_ident(request)}", self.stranger_limit


def _count(key: str) -> int | None:
    """How often this key was counted, with this time; ``None`` when the cache is away."""
    try:
        return int(cache.incr(key))
    except ValueError:  # the first of its window
        return 1 if cache.add(key, 1, 2 * WINDOW_S) else None
    except Exception:  # the cache's driver has its own errors, and none of them may stop a request
        return None
