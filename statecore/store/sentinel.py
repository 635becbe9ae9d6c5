"""The primary that sentinels name: found, and found again after a failover; no I/O."""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from typing import Any

import redis as driver

from statecore.store.addresses import Address, Node
from statecore.store.doors import Role, Unconfirmed
from statecore.store.exchanges import NotSent, pack
from statecore.store.routes import (
    LOST,
    Again,
    Ask,
    Forget,
    Hopeless,
    Route,
    Routes,
    Send,
    is_for_later,
    is_hopeless,
    packed_for,
)
from statecore.store.sentinel_views import Said, View, view_of

ROLE = pack(["ROLE"])
CONFIRMED_S = 1.0
"""So long what the sentinels said is good for new connections."""


class SentinelLogin(driver.AuthenticationError):
    """A sentinel refuses our name and password."""


class NoSentinel(driver.ConnectionError):
    """No sentinel could be reached."""


class NotElected(driver.ConnectionError):
    """A commit could not outlive the primary now: who has its place is being decided."""


class SentinelRoutes(Routes):
    """One primary at a time; it is asked for once, and again whenever it may have changed.

    It is asked for before each new connection, which begins with ``ROLE``: a
    server that was the primary and comes back is not taken for it.
    """

    role: Role = "primary"

    def __init__(self, address: Address) -> None:
        super().__init__(address)
        self._primary: Node | None = None
        self._confirmed_at = -math.inf
        self._view: View | None = None
        self._is_doubted = False
        """Whether too few replicas confirmed a commit since the sentinels were asked."""
        self._online = 1
        """Of so many replicas the primary said that it sends its commits to them."""

    def send(self, ask: Ask) -> Route:
        """One attempt at the primary; see :meth:`Routes.send`."""
        primary = yield from self._known(ask)
        if ask.is_replicated and self._view is not None and self._view.is_open:
            self.doubt()
            raise Again(NotElected("the sentinels have not agreed on a primary yet"))
        packed, is_confirmed = self._packed(ask), self._is_confirmed(CONFIRMED_S)
        expected = ask.answers + ask.is_replicated
        try:
            answers = yield Send(primary, packed, expected, ask.block_s, "primary", is_confirmed)
        except NotSent as fault:
            self.doubt()
            if isinstance(fault.reason, Unconfirmed):
                return (yield from self.send(ask))
            if is_hopeless(fault):
                raise Hopeless(fault.reason, fault.beneath) from None
            raise Again(fault.reason) from None
        if is_for_later(answers[0]):
            self.doubt()
            # its other connections are no better
            yield Forget(primary, "primary")
            raise Again(answers[0])
        return (yield from self._judged(primary, answers)) if ask.is_replicated else answers

    def doubt(self) -> None:
        """Ask the sentinels again before the next request."""
        self._primary = None

    def primaries(self) -> Route:
        """Ask all sentinels for the primary; who knows of the latest failover is believed.

        Raises:
            UnknownMaster: none knows a master of this name.
            Again: none of them can be reached.
        """
        packed = pack(["SENTINEL", "MASTER", self.address.master])
        packed += pack(["SENTINEL", "REPLICAS", self.address.master])
        asked_at, said = time.monotonic(), []
        reason: Exception = NoSentinel("none was asked")
        for sentinel in self.address.nodes:
            try:
                said.append(Said(sentinel, *(yield Send(sentinel, packed, 2, role="sentinel"))))
            except NotSent as fault:
                reason = fault.reason
                if isinstance(reason, driver.AuthenticationError):
                    raise Hopeless(SentinelLogin(str(reason))) from None
                if is_hopeless(fault):
                    raise Hopeless(reason, fault.beneath) from None
            except LOST as fault:
                reason = fault
        if not said:
            raise Again(NoSentinel(f"no sentinel answers; the last one: {reason}"))
        yield from self._believe(view_of(said, asked_at))
        return [self._primary]

    def _packed(self, ask: Ask) -> bytes:
        """What to send; after commits, how many replicas have them, and how many there are."""
        if not ask.is_replicated:
            return ask.packed
        wanted = max(self._view.heirs, self._online) if self._view else 1
        return packed_for(ask, wanted) + ROLE

    def _known(self, ask: Ask) -> Route:
        """The primary; what there is of replicas is asked for again, if anybody answers."""
        known = self._primary
        if known and (not ask.is_replicated or self._is_good(time.monotonic())):
            return known
        try:
            (primary,) = yield from self.primaries()
        except Again:
            if known is None:
                raise
            return known  # without sentinels nobody takes its place
        return primary

    def _judged(self, primary: Node, answers: list[Any]) -> Route:
        """The answer to a commit, and whether it outlives the primary: enough replicas have it.

        It may have waited in a server that stood still, while another took that one's place.
        What came too late for what was known of the engine is judged by what is known now.
        """
        answer, confirmed, role = answers
        if not isinstance(confirmed, int) or not _is_primary(role):
            is_enough = False
        else:
            is_enough = self._holds(primary, confirmed, role, time.monotonic())
            if not is_enough and confirmed:
                is_enough = yield from self._holds_still(primary, confirmed, role)
        if not is_enough:
            self._is_doubted = True
        return [answer, is_enough]

    def _holds(self, primary: Node, confirmed: int, role: Any, at: float) -> bool:
        view = self._view
        if view is None or view.primary != primary:
            return False
        self._online = view.count_online(role)
        return view.is_enough(confirmed, role, at)

    def _holds_still(self, primary: Node, confirmed: int, role: Any) -> Route:
        """The same, by what the sentinels say now."""
        at = time.monotonic()
        try:
            yield from self.primaries()
        except Again:
            return False
        return self._holds(primary, confirmed, role, at)

    def _is_good(self, at: float) -> bool:
        return self._view is not None and not self._is_doubted and at < self._view.good_until

    def _is_confirmed(self, seconds: float) -> bool:
        return time.monotonic() - self._confirmed_at < seconds

    def _believe(self, view: View) -> Generator[Forget, Any, None]:
        before, self._view = self._view, view
        if before is not None and before.primary != view.primary:
            self._online = 1  # the new one has not said anything yet
            yield Forget(before.primary, "primary")
        self._primary, self._confirmed_at = view.primary, time.monotonic()
        self._is_doubted = False


def _is_primary(role: Any) -> bool:
    return isinstance(role, list) and role[0] == b"master"
