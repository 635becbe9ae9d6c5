"""Links of an event loop to one server; see ``links``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from typing import Any

import redis as driver

from statecore.store.doors import Door, Unconfirmed, check_role
from statecore.store.exchanges import (
    ANSWER_TIMEOUT_S,
    HEIR_TIMEOUT_S,
    OURS,
    TURNED_AWAY,
    WAIT,
    NotSent,
    pack,
    replicated,
)
from statecore.store.wire import Argument


class AsyncLinks:
    """Connections of one event loop; as many requests as there are connections run at once."""

    asks_again = False
    """Whether a request that repeats is asked again here when its answer is lost."""

    def __init__(self, door: Door, at_once: int) -> None:
        self._door = door
        self._idle: list[Any] = []
        self._blocked: set[Any] = set()
        self._free = asyncio.Semaphore(at_once)
        self._end = self._close_at_end_of_loop()
        self.is_closed = False

    async def open(self) -> None:
        """Have the event loop close the connections when it ends."""
        await anext(self._end)

    async def exchange(
        self, arguments: list[Argument], block_s: float = 0.0, keys: Iterable[str] = (),
        repeats: bool = False, replicate: bool = False,
    ) -> Any:  # fmt: skip
        """Send one command and wait for its answer; see :meth:`Links.exchange`."""
        packed = pack(arguments)
        if replicate:
            try:
                return replicated(*await self.exchange_all(packed + WAIT, 2))
            except NotSent as fault:
                raise fault.reason from fault.beneath
        if block_s:
            return await self._exchange(packed, block_s)
        async with self._free:
            return await self._exchange(packed)

    async def exchange_all(
        self, packed: bytes, answers: int, block_s: float = 0.0, may_connect: bool = True
    ) -> list[Any]:
        """Send some commands at once; see :meth:`Links.exchange_all`."""
        if block_s:
            return await self._exchange_all(packed, answers, block_s, may_connect)
        async with self._free:
            return await self._exchange_all(packed, answers, 0.0, may_connect)

    async def connected(self) -> Any:
        """A connection of one's own, to be disconnected by whoever asked for it."""
        link = self._door.async_link()
        async with asyncio.timeout(self._answer_s()):
            await self._connect(link)
        return link

    async def close(self) -> None:
        """Close all connections; exchanges that block end with a connection error."""
        await self._end.aclose()

    def _answer_s(self) -> float:
        return HEIR_TIMEOUT_S if self._door.has_heirs else ANSWER_TIMEOUT_S

    async def _close_at_end_of_loop(self) -> AsyncGenerator[None]:
        """Event loops close their asynchronous generators before they end, so this one tidies up.

        Otherwise whoever runs an event loop would have to know of the store.
        """
        try:
            yield
        finally:
            await self._disconnect_all()

    async def _disconnect_all(self) -> None:
        self.is_closed = True
        for link in (*self._blocked, *self._idle):
            await link.disconnect()
        self._idle.clear()

    async def _exchange(self, packed: bytes, block_s: float = 0.0) -> Any:
        link = await self._borrow()
        try:
            async with asyncio.timeout(block_s + self._answer_s()):
                if block_s:
                    self._blocked.add(link)
                await link.send_packed_command([packed], check_health=False)
                answer = await link.read_response()
        except driver.ResponseError:
            self._idle.append(link)
            raise
        except BaseException:
            await link.disconnect(nowait=True)
            raise
        finally:
            self._blocked.discard(link)
        self._idle.append(link)
        return answer

    async def _exchange_all(
        self, packed: bytes, answers: int, block_s: float, may_connect: bool
    ) -> list[Any]:
        is_sent, link = False, self._door.async_link()
        try:
            async with asyncio.timeout(block_s + self._answer_s()):
                link = await self._borrow()
                await self._connect(link, may_connect)
                if block_s:
                    self._blocked.add(link)
                is_sent = True
                await link.send_packed_command([packed], check_health=False)
                found = [await _value(link) for _ in range(answers)]
        except BaseException as error:
            await link.disconnect(nowait=True)
            if isinstance(error, TURNED_AWAY) or (isinstance(error, OURS) and not is_sent):
                raise NotSent(error) from error
            raise
        finally:
            self._blocked.discard(link)
        self._idle.append(link)
        return found

    async def _connect(self, link: Any, may_connect: bool = True) -> None:
        if link.is_connected:
            return
        if not may_connect:
            raise Unconfirmed
        await link.connect()
        if self._door.must_be_primary:
            try:
                await link.send_command("ROLE")
                check_role(await link.read_response(), self._door.node)
            except BaseException:
                await link.disconnect(nowait=True)
                raise

    async def _borrow(self) -> Any:
        if self.is_closed:
            raise driver.ConnectionError("The store is closed")
        while self._idle:
            link = self._idle.pop()
            try:
                if not await link.can_read():
                    return link
            except (driver.RedisError, OSError):
                pass
            await link.disconnect(nowait=True)
        return self._door.async_link()


async def _value(link: Any) -> Any:
    try:
        return await link.read_response()
    except driver.ResponseError as error:
        return error
