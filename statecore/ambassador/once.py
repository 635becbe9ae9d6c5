"""Steps under conditions: of the active ambassador only, and not a second time."""

from __future__ import annotations

from typing import Any, TypeVar

from statecore.store import ops
from statecore.store.steps import Seen, Steps

T = TypeVar("T")


class ConditionFailed(Exception):
    """Something that steps were done under is no longer so; nothing of them was written."""

    def __init__(self, current: Seen) -> None:
        super().__init__("a condition no longer holds")
        self.current = current


def under(steps: Steps[T], conditions: Seen, also: tuple[ops.Write, ...] = ()) -> Steps[T]:
    """The same steps, with each commit expecting ``conditions`` and writing ``also``.

    So what the services know nothing of is decided in the engine, in one step
    with what they do.

    Raises:
        ConditionFailed: a commit met other values; what it wanted to write was not written.
    """
    try:
        request = next(steps)
        while True:
            try:
                reply = yield from _ask(request, conditions, also)
            except ConditionFailed:
                raise
            except Exception as error:
                request = steps.throw(error)
            else:
                request = steps.send(reply)
    except StopIteration as done:
        result: T = done.value
        return result
    finally:
        steps.close()


def _ask(
    request: ops.Request | ops.Local, conditions: Seen, also: tuple[ops.Write, ...]
) -> Steps[Any]:
    if not isinstance(request, ops.Commit):
        return (yield request)
    expected = {**request.expected, **conditions}
    reply = yield ops.Commit(expected, (*request.writes, *also))
    if not isinstance(reply, ops.Conflict):
        return reply
    if any(reply.current[cell] != value for cell, value in conditions.items()):
        raise ConditionFailed(reply.current)
    return ops.Conflict({cell: reply.current[cell] for cell in request.expected})
