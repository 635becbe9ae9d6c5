"""Links of threads to one server.

Commands go out on connections of redis-py directly, without its client around
them, which costs as much as a command itself. A connection belongs to one
exchange at a time, so a tail that blocks holds up nobody. Which server it is,
``routed`` finds out where there are several.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from typing import Any

import redis as driver

from statecore.store.addresses import Node
from statecore.store.doors import Door, Unconfirmed, check_role
from statecore.store.exchanges import (
    ANSWER_TIMEOUT_S,
    HEIR_TIMEOUT_S,
    TURNED_AWAY,
    WAIT,
    NotSent,
    pack,
    replicated,
)
from statecore.store.wire import Argument

TRUSTED_IDLE_S = 0.05
"""A connection unused for longer is asked whether the engine has closed it."""


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
            if isinstance(error, TURNED_AWAY):
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
            return link.read_response(timeout=block_s + self._answer_s())
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
        return self._door.link(self._answer_s())

    def _answer_s(self) -> float:
        return HEIR_TIMEOUT_S if self._door.has_heirs else ANSWER_TIMEOUT_S

    def _give_back(self, link: Any) -> None:
        self._idle.append((link, time.monotonic()))
        if self.is_closed:
            link.disconnect()


def _is_alive(link: Any) -> bool:
    try:
        if not link.can_read(0):
            return True
    except (driver.RedisError, OSError):
        pass
    link.disconnect()
    return False
