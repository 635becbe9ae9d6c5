"""How an operation, written once, becomes a method of both clients, with its own types."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, overload

from orchard_client.awaiting import Awaiting
from orchard_client.blocking import Blocking
from orchard_client.call import Call
from orchard_client.steps import Items, Steps, pages

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
D = TypeVar("D", Blocking, Awaiting)

Later = Coroutine[Any, Any, T]


class Group(Generic[D]):
    """Operations on one kind of thing."""

    def __init__(self, driver: D) -> None:
        self.driver: D = driver


class Page(Protocol[T_co]):
    """Some items, and the cursor of the page after them."""

    @property
    def items(self) -> Sequence[T_co]:
        """The items."""

    @property
    def next(self) -> str | None:
        """The cursor of the next page; none when this is the last."""


class Operation(Generic[P, T]):
    """One request: its answer, or a coroutine of it."""

    def __init__(self, make: Callable[P, Call[T]]) -> None:
        self.make = make
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, group: Group[Blocking], owner: Any) -> Callable[P, T]: ...
    @overload
    def __get__(self, group: Group[Awaiting], owner: Any) -> Callable[P, Later[T]]: ...
    def __get__(self, group: Any, owner: Any) -> Any:
        """The method of a client."""
        return self if group is None else _bound(self.make, group.driver.call)


class Procedure(Generic[P, T]):
    """Several requests: what comes of them, or a coroutine of it."""

    def __init__(self, make: Callable[P, Steps[T]]) -> None:
        self.make = make
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, group: Group[Blocking], owner: Any) -> Callable[P, T]: ...
    @overload
    def __get__(self, group: Group[Awaiting], owner: Any) -> Callable[P, Later[T]]: ...
    def __get__(self, group: Any, owner: Any) -> Any:
        """The method of a client."""
        return self if group is None else _bound(self.make, group.driver.run)


class Feed(Generic[P, T]):
    """As many requests as are wanted: an iterator, or an asynchronous one."""

    def __init__(self, make: Callable[P, Items[T]]) -> None:
        self.make = make
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, group: Group[Blocking], owner: Any) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, group: Group[Awaiting], owner: Any) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, group: Any, owner: Any) -> Any:
        """The method of a client."""
        return self if group is None else _bound(self.make, group.driver.iterate)


def listing(make: Callable[P, Call[Page[T]]]) -> Feed[P, T]:
    """The items of all pages of an operation, one after the other; ``limit`` is a page's."""

    @functools.wraps(make)
    def items(*args: P.args, **kwargs: P.kwargs) -> Items[T]:
        return pages(functools.partial(make, *args), **kwargs)

    return Feed(items)


def _bound(make: Callable[P, Any], take: Callable[[Any], Any]) -> Callable[P, Any]:
    @functools.wraps(make)
    def method(*args: P.args, **kwargs: P.kwargs) -> Any:
        return take(make(*args, **kwargs))

    return method
