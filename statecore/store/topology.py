"""Links to one server: connections for threads and for event loops.

Commands go out on connections of redis-py directly, without its client around
them, which costs as much as a command itself. A connection belongs to one
exchange at a time, so a tail that blocks holds up nobody. Which server it is,
``routed`` finds out where there are several.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import redis as driver
from hiredis import pack_command

from statecore.store.addresses import Node
from statecore.store.checks import encode
from statecore.store.doors import Door, Unconfirmed, check_role
from statecore.store.errors import (
    NotReplicated,
    StoreError,
    StoreFull,
    StoreUnavailable,
    WrongType,
)
from statecore.store.wire import Argument

ANSWER_TIMEOUT_S = 5.0
"""An engine that does not answer for so long counts as gone."""
REPLICA_TIMEOUT_S = 2.0
"""A replica that does not have a commit after so long is not waited for any longer."""

TRUSTED_IDLE_S = 0.05
"""A connection unused for longer is asked whether the engine has closed it."""

_AWAY = (
    driver.ReadOnlyError,
    driver.exceptions.ClusterDownError,
    driver.exceptions.MasterDownError,
    driver.exceptions.TryAgainError,
)
_AWAY_CODES = ("MISCONF", "BUSY", "NOREPLICAS")
"""Answers of an engine that will take commands again, without a class in the driver."""


_OURS = (driver.RedisError, OSError)
_TURNED_AWAY = (driver.BusyLoadingError, driver.AuthenticationError)
"""Answers that count as a broken connection to the driver, though nothing was done."""


class NotSent(Exception):
    """A command was not done, because its server could not be reached or was not ready."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason
        # raised again elsewhere, the reason would forget what it came of
        self.beneath = reason.__context__


class Links:
    """Connections for threads; a thread takes one for each exchange."""

    asks_again = False
    """Whether a request that repeats is asked again here when its answer is lost."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._idle: list[tuple[Any, float]] = []
        self._blocked: set[Any] = set()
        self._process_id = os.getpid()
        self.is_closed = False

    def exchange(
        self, arguments: list[Argument], block_s: float = 0.0, keys: Iterable[str] = (),
        repeats: bool = False, replicate: bool = False,
    ) -> Any:  # fmt: skip
        """Send one command and wait for its answer, which may take ``block_s`` longer.

        Raises:
            NotReplicated: with ``replicate``, no replica has it in time.
        """
        packed = pack(arguments)
        if replicate:
            try:
                return replicated(*self.exchange_all(packed + WAIT, 2))
            except NotSent as fault:
                raise fault.reason from fault.beneath
        link = self._borrow()
        try:
            if block_s:
                self._blocked.add(link)
            link.send_packed_command((packed,), check_health=False)
            answer = self._answer(link, block_s)
        except driver.ResponseError:
            self._give_back(link)
            raise
        except BaseException:
            self._blocked.discard(link)
            link.disconnect()
            raise
        self._give_back(link)
        return answer

    def exchange_everywhere(self, arguments: list[Argument]) -> list[tuple[Node, Any]]:
        """The answer of the one server; an error that it answers is one."""
        try:
            return [(self._door.node, self.exchange_all(pack(arguments), 1)[0])]
        except NotSent as fault:
            raise fault.reason from fault.beneath

    def exchange_all(
        self, packed: bytes, answers: int, block_s: float = 0.0, may_connect: bool = True
    ) -> list[Any]:
        """Send some commands at once; errors that the server answers are among the answers.

        Without ``may_connect`` a connection that stands is used, or none.

        Raises:
            NotSent: nothing was done; anything else leaves that open.
        """
        try:
            link = self._borrow()
            self._connect(link, may_connect)
        except (driver.RedisError, OSError) as error:
            raise NotSent(error) from error
        try:
            if block_s:
                self._blocked.add(link)
            link.send_packed_command((packed,), check_health=False)
            found = [self._value(link, block_s) for _ in range(answers)]
        except BaseException as error:
            self._blocked.discard(link)
            link.disconnect()
            if isinstance(error, _TURNED_AWAY):
                raise NotSent(error) from error
            raise
        self._give_back(link)
        return found

    def close(self) -> None:
        """Close all connections; exchanges that block end with a connection error."""
        self.is_closed = True
        for link in tuple(self._blocked):
            link.disconnect()
        while self._idle:
            self._idle.pop()[0].disconnect()

    def _answer(self, link: Any, block_s: float) -> Any:
        if not block_s:
            return link.read_response()
        try:
            return link.read_response(timeout=block_s + ANSWER_TIMEOUT_S)
        finally:
            self._blocked.discard(link)

    def _value(self, link: Any, block_s: float) -> Any:
        try:
            return self._answer(link, block_s)
        except driver.ResponseError as error:
            return error

    def _connect(self, link: Any, may_connect: bool = True) -> None:
        if link.is_connected:
            return
        if not may_connect:
            raise Unconfirmed
        link.connect()
        if self._door.must_be_primary:
            try:
                link.send_command("ROLE")
                check_role(link.read_response(), self._door.node)
            except BaseException:
                link.disconnect()
                raise

    def _borrow(self) -> Any:
        if self.is_closed:
            raise driver.ConnectionError("The store is closed")
        if self._process_id != os.getpid():  # connections must not be shared after a fork
            self._idle, self._process_id = [], os.getpid()
        while self._idle:
            try:
                link, used_at = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if time.monotonic() - used_at < TRUSTED_IDLE_S or _is_alive(link):
                return link
        return self._door.link(ANSWER_TIMEOUT_S)

    def _give_back(self, link: Any) -> None:
        self._idle.append((link, time.monotonic()))
        if self.is_closed:
            link.disconnect()


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
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            await self._connect(link)
        return link

    async def close(self) -> None:
        """Close all connections; exchanges that block end with a connection error."""
        await self._end.aclose()

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
            async with asyncio.timeout(block_s + ANSWER_TIMEOUT_S):
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
            async with asyncio.timeout(block_s + ANSWER_TIMEOUT_S):
                link = await self._borrow()
                await self._connect(link, may_connect)
                if block_s:
                    self._blocked.add(link)
                is_sent = True
                await link.send_packed_command([packed], check_health=False)
                found = [await _value(link) for _ in range(answers)]
        except BaseException as error:
            await link.disconnect(nowait=True)
            if isinstance(error, _TURNED_AWAY) or (isinstance(error, _OURS) and not is_sent):
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


def replicated(answer: Any, replicas: Any) -> Any:
    """The answer to a command that was followed by ``WAIT``, and the answer to that.

    Raises:
        NotReplicated: no replica has what the command wrote; with the answer.
    """
    if isinstance(answer, Exception):
        raise answer
    if not isinstance(replicas, int) or replicas < 1:
        raise NotReplicated(answer)
    return answer


def pack(arguments: list[Argument]) -> bytes:
    """A command as bytes to send.

    Raises:
        StoreError: a name holds half a character.
    """
    try:
        packed: bytes = pack_command(cast("Any", tuple(arguments)))
    except UnicodeEncodeError:
        names = (encode(each) if isinstance(each, str) else each for each in arguments)
        packed = pack_command(cast("Any", tuple(names)))
    return packed


WAIT = pack(["WAIT", 1, round(REPLICA_TIMEOUT_S * 1000)])
"""Asks how many replicas have what this connection wrote, as soon as one has."""


@contextmanager
def driver_errors() -> Iterator[None]:
    """Raise the driver's errors as errors of the store."""
    try:
        yield
    except (driver.RedisError, OSError) as error:
        raise translated(error) from error


def translated(error: Exception) -> StoreError:
    """The error of the store that a driver's error stands for."""
    text = str(error) or type(error).__name__
    if isinstance(error, driver.OutOfMemoryError) or "OOM command not allowed" in text:
        return StoreFull()
    if isinstance(error, driver.ConnectionError | driver.TimeoutError | OSError):
        return StoreUnavailable(f"The state engine cannot be reached: {text}")
    if isinstance(error, _AWAY) or text.startswith(_AWAY_CODES):
        return StoreUnavailable(f"The state engine takes no commands: {text}")
    return WrongType(text) if "WRONGTYPE" in text else StoreError(text)


def _is_alive(link: Any) -> bool:
    try:
        if not link.can_read(0):
            return True
    except (driver.RedisError, OSError):
        pass
    link.disconnect()
    return False
