"""When to try again, and when to give up: decided here, slept elsewhere."""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import msgspec

from orchard_client.call import Answer, Call
from orchard_client.errors import Refused, Unreachable, refusal_of

FIRST_S = 0.25
LONGEST_S = 10.0
PATIENCE_S = 60.0
"""How long to go on trying unless somebody says otherwise, in seconds."""

_AWAY = (502, 503, 504)
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Attempts:
    """The attempts at one call: raises when no more are worth it."""

    def __init__(
        self, call: Call[Any], patience_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        patience_s = patience_s if call.patience_s is None else call.patience_s
        self._repeatable = call.repeatable
        self._clock = clock
        self._stop = clock() + patience_s
        self._failures = 0

    def after_fault(self, fault: httpx.RequestError, url: str) -> float:
        """How long to rest after an attempt without an answer, in seconds.

        Raises:
            Unreachable: it is not worth it, or not safe, to try again.
        """
        may = self._repeatable or isinstance(fault, _NEVER_SENT)
        rest_s = self._rest_s(None) if may and not _is_hopeless(fault) else None
        if rest_s is None:
            reason = str(fault) or type(fault).__name__
            raise Unreachable(f"{url} does not answer: {reason}") from fault
        return rest_s

    def after_answer(self, answer: Answer) -> float | None:
        """How long to rest before the next attempt, in seconds; ``None``: this is the answer.

        Raises:
            Refused: the server said no, and goes on saying so.
        """
        if 200 <= answer.status < 300:
            return None
        refusal = _refusal_of(answer)
        away = answer.status in _AWAY and self._repeatable
        # Whoever asks too often was not even listened to.
        rest_s = self._rest_s(refusal.retry_after_s) if away or answer.status == 429 else None
        if rest_s is None:
            raise refusal
        return rest_s

    def _rest_s(self, asked_s: float | None) -> float | None:
        ceiling = min(LONGEST_S, FIRST_S * 2**self._failures)
        self._failures = min(self._failures + 1, 10)
        rest_s = random.uniform(ceiling / 2, ceiling)  # noqa: S311 - spreads load, hides nothing
        rest_s = max(rest_s, asked_s or 0.0)
        return rest_s if self._clock() + rest_s <= self._stop else None


def _is_hopeless(fault: BaseException | None) -> bool:
    """Whether it cannot get better by itself: a certificate stays as wrong as it is."""
    while fault is not None:
        if isinstance(fault, ssl.SSLCertVerificationError):
            return True
        fault = fault.__cause__ or fault.__context__
    return False


def _refusal_of(answer: Answer) -> Refused:
    try:
        body = msgspec.json.decode(answer.content, type=dict[str, Any])
    except msgspec.MsgspecError:
        body = {}
    return refusal_of(answer.status, body, retry_after_s(answer.headers))


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """What ``Retry-After`` says, in seconds: a number, or a moment."""
    said = headers.get("retry-after", "")
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except ValueError:
        return None
