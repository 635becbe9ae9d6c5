"""The primary that sentinels name: found, and found again after a failover; no I/O."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import redis as driver

from statecore.store.addresses import Address, Node
from statecore.store.doors import Role
from statecore.store.routes import (
    LOST,
    Again,
    Ask,
    Forget,
    Route,
    Routes,
    Send,
    is_for_later,
    is_hopeless,
)
from statecore.store.topology import NotSent, pack


class UnknownMaster(driver.ResponseError):
    """The sentinels know no master of this name."""


class SentinelLogin(driver.AuthenticationError):
    """A sentinel refuses our name and password."""


class NoSentinel(driver.ConnectionError):
    """No sentinel could be reached."""


class SentinelRoutes(Routes):
    """One primary at a time; it is asked for once, and again whenever it may have changed.

    Each connection to it begins with ``ROLE``, so a primary that was demoted, and
    comes back without knowing it yet, is left as soon as it knows.
    """

    role: Role = "primary"

    def __init__(self, address: Address) -> None:
        super().__init__(address)
        self._sentinels = list(address.nodes)
        self._primary: Node | None = None
        self._last: Node | None = None

    def send(self, ask: Ask) -> Route:
        """One attempt at the primary; see :meth:`Routes.send`."""
        primary = self._primary
        if primary is None:
            (primary,) = yield from self.primaries()
        try:
            answers = yield Send(primary, ask.packed, ask.answers, ask.block_s, "primary")
        except NotSent as fault:
            self.doubt()
            if is_hopeless(fault):
                raise fault.reason from fault.beneath
            raise Again(fault.reason) from None
        if is_for_later(answers[0]):
            self.doubt()
            # its other connections are no better
            yield Forget(primary, "primary")
            raise Again(answers[0])
        return answers

    def doubt(self) -> None:
        """Ask the sentinels again before the next request."""
        self._primary = None

    def primaries(self) -> Route:
        """Ask the sentinels for the primary, the one that answered last first.

        Raises:
            UnknownMaster: they know no master of this name.
            Again: none of them can be reached.
        """
        packed = pack(["SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.address.master])
        reason: Exception = NoSentinel("no sentinel was asked")
        for sentinel in tuple(self._sentinels):
            try:
                (answer,) = yield Send(sentinel, packed, role="sentinel")
            except NotSent as fault:
                reason = fault.reason
                if isinstance(reason, driver.AuthenticationError):
                    raise SentinelLogin(str(reason)) from None
                if is_hopeless(fault):
                    raise reason from fault.beneath
            except LOST as fault:
                reason = fault
            else:
                yield from self._believe(sentinel, answer)
                return [self._primary]
        raise Again(NoSentinel(f"no sentinel answers; the last one: {reason}"))

    def _believe(self, sentinel: Node, answer: Any) -> Generator[Forget, Any, None]:
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            raise UnknownMaster(f"the sentinel at {sentinel} knows no master {self.address.master}")
        primary = Node(answer[0].decode(), int(answer[1]))
        self._sentinels.sort(key=lambda each: each != sentinel)
        before, self._last = self._last, primary
        if before is not None and before != primary:
            yield Forget(before, "primary")
        self._primary = primary
