"""Steps side by side: what they ask of the engine goes there in one round trip."""

from __future__ import annotations

from typing import Any, TypeVar, cast, get_args

from statecore.store import ops
from statecore.store.steps import Steps

A = TypeVar("A")
B = TypeVar("B")

_REQUESTS = get_args(ops.Request)


def together(first: Steps[A], second: Steps[B]) -> Steps[tuple[A, B]]:
    """Do two things that need not wait for each other, and answer both results.

    Neither sees what the other writes before it is done. At most one of the two may hold
    hot keys: who held some while waiting for others could wait for ever. What goes wrong with
    what is asked for both is raised inside both; the first that does not mend it ends both.
    """
    one, other = _Half(first), _Half(second)
    try:
        yield from one.up_to_engine()
        yield from other.up_to_engine()
        while one.request is not None or other.request is not None:
            asking = [half for half in (one, other) if half.request is not None]
            requests = tuple(half.request for half in asking if half.request is not None)
            try:
                replies = (
                    (yield ops.Together(requests)) if len(asking) > 1 else [(yield requests[0])]
                )
            except Exception as error:
                for half in asking:
                    half.throw(error)
            else:
                for half, reply in zip(asking, replies, strict=True):
                    half.send(reply)
            for half in asking:
                yield from half.up_to_engine()
    finally:
        first.close()
        second.close()
    return cast("A", one.result), cast("B", other.result)


class _Half:
    """One of the two, up to what it asks next."""

    def __init__(self, steps: Steps[Any]) -> None:
        self._steps = steps
        self._next: Any = None
        self.result: Any = None
        self.send(None)

    @property
    def request(self) -> ops.Request | None:
        """What it asks of the engine; nothing when it has its result."""
        return cast("ops.Request | None", self._next)

    def send(self, reply: Any) -> None:
        """Let it go on."""
        try:
            self._next = self._steps.send(reply)
        except StopIteration as done:
            self._next, self.result = None, done.value

    def throw(self, error: Exception) -> None:
        """Let it go on with what went wrong.

        Raises:
            Exception: it does not mend it.
        """
        try:
            self._next = self._steps.throw(error)
        except StopIteration as done:
            self._next, self.result = None, done.value

    def up_to_engine(self) -> Steps[None]:
        """Answer what stays inside the process, until it asks the engine or is done."""
        while self._next is not None and not isinstance(self._next, _REQUESTS):
            try:
                reply = yield self._next
            except Exception as error:
                self.throw(error)
            else:
                self.send(reply)
