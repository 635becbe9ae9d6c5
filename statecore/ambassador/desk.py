"""The desk: which requests wait for an answer, and what was answered lately."""

from __future__ import annotations

import time
from collections.abc import Callable

from statecore import keys
from statecore.ambassador.messages import Request

PATIENCE_S = 20.0
"""A request that waits for longer is forgotten: whoever asked has given up; in seconds."""
MOST_WAITING = 1000
MOST_BYTES = 16_000_000
"""How much may wait, and how much of what was answered is remembered; in bytes."""


class Pending:
    """A request without an answer yet."""

    __slots__ = ("at", "is_queued", "request")

    def __init__(self, request: Request, at: float) -> None:
        self.request = request
        self.at = at
        self.is_queued = False
        """Whether it stands in a lane to be answered."""


class Desk:
    """Requests by their fingerprint, in the order in which they came.

    A standby has a desk too. It hears the answers of the active one, so what is
    left on its desk when it takes over was never answered.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: dict[str, Pending] = {}
        self._waiting_bytes = 0
        self._answers: dict[str, tuple[float, bytes]] = {}
        self._answers_bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether nothing more should be put on it."""
        return len(self._waiting) >= MOST_WAITING or self._waiting_bytes >= MOST_BYTES

    def receive(self, request: Request) -> Pending | bytes | None:
        """What is to be done about a request: answer it, send this again, or nothing.

        Nothing is to be done when the same request waits already: its answer
        will be the answer to both.
        """
        self._forget_old()
        if answered := self._answers.get(request.fingerprint):
            return answered[1]
        if request.fingerprint in self._waiting:
            return None
        pending = self._waiting[request.fingerprint] = Pending(request, self._clock())
        self._waiting_bytes += request.size
        return pending

    def settle(self, request: Request, answer: bytes) -> None:
        """Note that a request was answered."""
        self._drop(request)
        if request.fingerprint not in self._answers:
            self._answers[request.fingerprint] = (self._clock(), answer)
            self._answers_bytes += len(answer)
        while self._answers_bytes > MOST_BYTES:
            self._forget_answer(next(iter(self._answers)))

    def hear(self, request_id: object, answer: bytes) -> None:
        """Note that somebody else has answered a request."""
        for pending in [*self._waiting.values()]:
            if pending.request.request_id == request_id:
                self.settle(pending.request, answer)

    def waiting(self) -> list[Pending]:
        """The requests to be answered, in the order in which they came."""
        self._forget_old()
        return [*self._waiting.values()]

    def is_waiting(self, pending: Pending) -> bool:
        """Whether nobody has answered a request, and whoever asked may still wait."""
        self._forget_old()
        return self._waiting.get(pending.request.fingerprint) is pending

    def make_room(self) -> None:
        """Forget the oldest requests until there is room for another one."""
        while self.is_full:
            self._drop(next(iter(self._waiting.values())).request)

    def _drop(self, request: Request) -> None:
        if self._waiting.pop(request.fingerprint, None):
            self._waiting_bytes -= request.size

    def _forget_old(self) -> None:
        now = self._clock()
        while self._waiting and (old := next(iter(self._waiting.values()))).at < now - PATIENCE_S:
            self._drop(old.request)
        oldest = now - keys.ANSWER_TTL_MS / 1000
        while self._answers and next(iter(self._answers.values()))[0] < oldest:
            self._forget_answer(next(iter(self._answers)))

    def _forget_answer(self, fingerprint: str) -> None:
        self._answers_bytes -= len(self._answers.pop(fingerprint)[1])
