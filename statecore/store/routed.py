"""Links to an engine of several servers: routes, driven from threads and from event loops."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterable
from typing import Any

from statecore.store.addresses import Address, Node, Topology
from statecore.store.async_links import AsyncLinks
from statecore.store.cluster import ClusterRoutes
from statecore.store.doors import Door, Role
from statecore.store.errors import StoreUnavailable
from statecore.store.exchanges import NotSent, pack, replicated
from statecore.store.links import Links
from statecore.store.routes import LOST, Again, Ask, Hopeless, Rest, Route, Routes, Send
from statecore.store.sentinel import SentinelRoutes
from statecore.store.wire import Argument

Place = tuple[Node, Role]


class RoutedLinks:
    """Connections of threads to the servers of an engine, each request to the right one."""

    asks_again = True

    def __init__(self, routes: Routes) -> None:
        self.routes = routes
        self._places: dict[Place, Links] = {}
        self._guard = threading.Lock()
        self.is_closed = False

    def exchange(
        self, arguments: list[Argument], block_s: float = 0.0, keys: Iterable[str] = (),
        repeats: bool = False, replicate: bool = False,
    ) -> Any:  # fmt: skip
        """Send one command to the server that has its keys, and wait for its answer.

        A wait (``block_s``) ends early when its server is lost.

        Raises:
            NotReplicated: with ``replicate``, no replica has it in time.
        """
        ask = _ask(pack(arguments), block_s, keys, repeats, replicate)
        try:
            answers = self._drive(self.routes.ask(ask))
        except LOST:
            if block_s and not self.is_closed:
                return None
            raise
        return _answer(ask, answers)

    def exchange_everywhere(self, arguments: list[Argument]) -> list[tuple[Node, Any]]:
        """The answers of all primaries; errors are among them."""
        packed = pack(arguments)
        primaries = self._drive(_patiently(self.routes))
        return [(node, self._do(Send(node, packed, 1, 0.0, self.routes.role))[0])
                for node in primaries]  # fmt: skip

    def close(self) -> None:
        """Close all connections; exchanges that block end with a connection error."""
        self.is_closed = True
        for links in tuple(self._places.values()):
            links.close()

    def _drive(self, route: Route) -> Any:
        try:
            step = next(route)
            while True:
                try:
                    reply = self._do(step)
                except (NotSent, *LOST) as fault:
                    step = route.throw(fault)
                else:
                    step = route.send(reply)
        except StopIteration as done:
            return done.value

    def _do(self, step: Any) -> Any:
        if isinstance(step, Send):
            links = self._links_to((step.node, step.role))
            return links.exchange_all(step.packed, step.answers, step.block_s, step.may_connect)
        if isinstance(step, Rest):
            return time.sleep(step.seconds)
        with self._guard:
            forgotten = self._places.pop((step.node, step.role), None)
        return forgotten.close() if forgotten else None

    def _links_to(self, place: Place) -> Links:
        if self.is_closed:
            raise StoreUnavailable("The store is closed")
        links = self._places.get(place)
        if links is None:
            with self._guard:
                links = self._places.get(place)
                if links is None:
                    links = self._places[place] = Links(Door(self.routes.address, *place))
        return links


class AsyncRoutedLinks:
    """Connections of one event loop to the servers of an engine; see :class:`RoutedLinks`."""

    asks_again = True

    def __init__(self, routes: Routes, at_once: int) -> None:
        self.routes = routes
        self._at_once = at_once
        self._places: dict[Place, AsyncLinks] = {}
        self.is_closed = False

    async def open(self) -> None:
        """Nothing: the links to each server are opened when they are needed."""

    async def exchange(
        self, arguments: list[Argument], block_s: float = 0.0, keys: Iterable[str] = (),
        repeats: bool = False, replicate: bool = False,
    ) -> Any:  # fmt: skip
        """Send one command to the server that has its keys; see :meth:`RoutedLinks.exchange`."""
        ask = _ask(pack(arguments), block_s, keys, repeats, replicate)
        try:
            answers = await self._drive(self.routes.ask(ask))
        except LOST:
            if block_s and not self.is_closed:
                return None
            raise
        return _answer(ask, answers)

    async def connected(self) -> Any:
        """A connection of one's own to some primary, for listening."""
        node = (await self._drive(_patiently(self.routes)))[0]
        return await (await self._links_to((node, self.routes.role))).connected()

    async def close(self) -> None:
        """Close all connections; exchanges that block end with a connection error."""
        self.is_closed = True
        for links in tuple(self._places.values()):
            await links.close()

    async def _drive(self, route: Route) -> Any:
        try:
            step = next(route)
            while True:
                try:
                    reply = await self._do(step)
                except (NotSent, *LOST) as fault:
                    step = route.throw(fault)
                else:
                    step = route.send(reply)
        except StopIteration as done:
            return done.value

    async def _do(self, step: Any) -> Any:
        if isinstance(step, Send):
            links = await self._links_to((step.node, step.role))
            return await links.exchange_all(
                step.packed, step.answers, step.block_s, step.may_connect
            )
        if isinstance(step, Rest):
            return await asyncio.sleep(step.seconds)
        forgotten = self._places.pop((step.node, step.role), None)
        return await forgotten.close() if forgotten else None

    async def _links_to(self, place: Place) -> AsyncLinks:
        if self.is_closed:
            raise StoreUnavailable("The store is closed")
        links = self._places.get(place)
        if links is None:
            door = Door(self.routes.address, *place)
            links = self._places[place] = AsyncLinks(door, self._at_once)
            await links.open()
        return links


def _ask(packed: bytes, block_s: float, keys: Iterable[str], repeats: bool, replicate: bool) -> Ask:
    return Ask(packed, 2 if replicate else 1, tuple(keys), block_s, repeats, replicate)


def _answer(ask: Ask, answers: list[Any]) -> Any:
    if ask.is_replicated:
        return replicated(*answers)
    answer = answers[0]
    if isinstance(answer, Exception):
        if ask.block_s and "UNBLOCKED" in str(answer):  # its server is no primary any more
            return None
        raise answer
    return answer


def _patiently(routes: Routes) -> Route:
    """All primaries; the servers are asked until the patience ends."""
    stop = time.monotonic() + routes.address.patience_s
    while True:
        try:
            return (yield from routes.primaries())
        except Hopeless as fault:
            raise fault.reason from fault.beneath
        except Again as fault:
            if time.monotonic() >= stop:
                raise fault.reason from None
            yield Rest()


AnyLinks = Links | RoutedLinks
AnyAsyncLinks = AsyncLinks | AsyncRoutedLinks


def routes_to(address: Address) -> Routes | None:
    """What finds the servers of an engine of several; one server needs none."""
    if address.topology is Topology.STANDALONE:
        return None
    is_sentinel = address.topology is Topology.SENTINEL
    return SentinelRoutes(address) if is_sentinel else ClusterRoutes(address)


def open_links(address: Address, routes: Routes | None) -> AnyLinks:
    """Links of threads to an engine."""
    return RoutedLinks(routes) if routes else Links(Door(address, address.nodes[0]))


def open_async_links(address: Address, routes: Routes | None, at_once: int) -> AnyAsyncLinks:
    """Links of an event loop to an engine, with so many requests on their way at once."""
    if routes:
        return AsyncRoutedLinks(routes, at_once)
    return AsyncLinks(Door(address, address.nodes[0]), at_once)
