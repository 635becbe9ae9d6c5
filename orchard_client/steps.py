"""What takes several requests, written once: generators of steps that a driver takes.

A step is a :class:`Call` to make, a :class:`Rest` to take, or an item to :class:`Give` to
whoever iterates. Reading the steps needs no network, no thread and no event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, TypeVar

from orchard_client.call import Call

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Rest:
    """Do nothing for some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Give(Generic[T_co]):
    """Something for whoever iterates."""

    item: T_co


Steps = Generator[Call[Any] | Rest, Any, T]
"""Steps that end in a result."""
Items = Generator[Call[Any] | Rest | Give[T], Any, None]
"""Steps that give items on their way."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a step, for those who have asked for it: an answer, or a fault."""

    answer: Any = None
    fault: Exception | None = None

    def go_on(self, steps: Generator[S, Any, Any]) -> S:
        """The next step.

        Raises:
            StopIteration: there is none; its value is the result.
        """
        return steps.send(self.answer) if self.fault is None else steps.throw(self.fault)


def ask(call: Call[T]) -> Generator[Call[T], Any, T]:
    """Make a call; what it was answered."""
    answer: T = yield call
    return answer


def pages(list_page: Callable[..., Call[Any]], **query: Any) -> Items[Any]:
    """The items of all pages, one after the other."""
    cursor = query.pop("cursor", "")
    while True:
        page = yield from ask(list_page(**query, cursor=cursor))
        for item in page.items:
            yield Give(item)
        if not page.next:
            return
        cursor = page.next
