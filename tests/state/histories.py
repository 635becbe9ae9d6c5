"""A checker of concurrent histories: is there an order in which each call could have happened?

Wing and Gong's search with Lowe's memory of configurations that led nowhere
(*Testing for linearizability*, 2016). A history is a list of calls with the
times of their beginning and end; a model says what a state answers.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, NamedTuple


class Call(NamedTuple):
    """One call of one client: when it began and ended, what it asked, what it was answered."""

    began: float
    ended: float
    """Infinite when no answer came: it may have happened at any time after, or never."""
    asked: tuple[Any, ...]
    answer: Any


Model = Callable[[Hashable, tuple[Any, ...]], tuple[Hashable, Any]]
"""From a state and what is asked: the next state and the answer."""

UNKNOWN = object()
"""The answer of a call that nobody got to hear."""


def is_linearizable(history: Iterable[Call], model: Model, state: Hashable) -> bool:
    """Whether the calls can be put in an order that respects their times and the model."""
    calls = sorted(history)
    known = {i for i, call in enumerate(calls) if call.answer is not UNKNOWN}
    seen: set[tuple[frozenset[int], Hashable]] = set()
    stack: list[tuple[frozenset[int], Hashable]] = [(frozenset(range(len(calls))), state)]
    while stack:
        left, state = stack.pop()
        if not left & known:
            return True
        if (left, state) in seen:
            continue
        seen.add((left, state))
        first_end = min(calls[i].ended for i in left)
        for i in left:
            if calls[i].began > first_end:
                continue
            after, answer = model(state, calls[i].asked)
            if i not in known or answer == calls[i].answer:
                stack.append((left - {i}, after))
    return False


def lease_model(state: Hashable, asked: tuple[Any, ...]) -> tuple[Hashable, Any]:
    """One issue: free (``None``) or held by somebody; leases do not run out."""
    action, who = asked
    if action == "check_out":
        return (who, True) if state in (None, who) else (state, state)
    if action == "check_in":
        return (None, True) if state == who else (state, False)
    raise AssertionError(action)


def register_model(state: Hashable, asked: tuple[Any, ...]) -> tuple[Hashable, Any]:
    """One entry with compare-and-set on its value."""
    action, *given = asked
    if action == "read":
        return state, state
    old, new = given
    return (new, True) if state == old else (state, False)
