"""How an engine is reached: connections for threads and for event loops, standalone for now.

Commands go out on connections of redis-py directly, without its client around
them, which costs as much as a command itself. A connection belongs to one
exchange at a time, so a tail that blocks holds up nobody.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import Any, cast

import redis as driver
import redis.asyncio as async_driver
from hiredis import pack_command
from redis.backoff import NoBackoff
from redis.retry import Retry

from statecore.store.checks import encode
from statecore.store.errors import StoreError, StoreFull, StoreUnavailable, WrongType
from statecore.store.wire import Argument

CONNECT_TIMEOUT_S = 2.0
ANSWER_TIMEOUT_S = 5.0
"""An engine that does not answer for so long counts as gone."""

TRUSTED_IDLE_S = 0.05
"""A connection unused for longer is asked whether the engine has closed it."""

_CONNECTION = {
    "protocol": 2,
    "socket_connect_timeout": CONNECT_TIMEOUT_S,
    "retry": Retry(NoBackoff(), 0),
}
_AWAY = (
    driver.ReadOnlyError,
    driver.exceptions.ClusterDownError,
    driver.exceptions.MasterDownError,
    driver.exceptions.TryAgainError,
)
_AWAY_CODES = ("MISCONF", "BUSY", "NOREPLICAS")
"""Answers of an engine that will take commands again, without a class in the driver."""


class Links:
    """Connections for threads; a thread takes one for each exchange."""

    def __init__(self, url: str) -> None:
        kwargs = _CONNECTION | {"socket_timeout": ANSWER_TIMEOUT_S}
        self._pool = _pool(driver.ConnectionPool, url, kwargs)
        self._idle: list[tuple[Any, float]] = []
        self._blocked: set[Any] = set()
        self._process_id = os.getpid()
        self.is_closed = False

    def exchange(self, arguments: list[Argument], block_s: float = 0.0) -> Any:
        """Send one command and wait for its answer, which may take ``block_s`` longer."""
        packed = pack(arguments)
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
        return self._pool.connection_class(**self._pool.connection_kwargs)

    def _give_back(self, link: Any) -> None:
        self._idle.append((link, time.monotonic()))
        if self.is_closed:
            link.disconnect()


class AsyncLinks:
    """Connections of one event loop; as many requests as there are connections run at once."""

    def __init__(self, url: str, at_once: int) -> None:
        # Each exchange has a time limit of its own; the driver's would cut off tails that wait.
        kwargs = _CONNECTION | {"socket_timeout": None}
        self._pool = _pool(async_driver.ConnectionPool, url, kwargs)
        self._idle: list[Any] = []
        self._blocked: set[Any] = set()
        self._free = asyncio.Semaphore(at_once)
        self._end = self._close_at_end_of_loop()
        self.is_closed = False

    async def open(self) -> None:
        """Have the event loop close the connections when it ends."""
        await anext(self._end)

    async def exchange(self, arguments: list[Argument], block_s: float = 0.0) -> Any:
        """Send one command and wait for its answer, which may take ``block_s`` longer."""
        packed = pack(arguments)
        if block_s:
            return await self._exchange(packed, block_s)
        async with self._free:
            return await self._exchange(packed)

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
        return self._pool.connection_class(**self._pool.connection_kwargs)


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


def _pool(kind: Any, url: str, kwargs: dict[str, Any]) -> Any:
    """The driver's reading of a URL: only its class of connection and arguments are used."""
    try:
        return kind.from_url(url, **kwargs)
    except ValueError as error:
        raise StoreError(f"Not the URL of an engine: {error}") from error


def _is_alive(link: Any) -> bool:
    try:
        if not link.can_read(0):
            return True
    except (driver.RedisError, OSError):
        pass
    link.disconnect()
    return False
