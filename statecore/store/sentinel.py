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
    VIEW_S,
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

GONE = (b"s_down", b"o_down", b"disconnected")
"""Flags of a replica that cannot be reached."""
CONFIRMED_S = 1.0
"""So long what the sentinels said is good for new connections."""


class UnknownMaster(driver.ResponseError):
    """The sentinels know no master of this name."""


class SentinelLogin(driver.AuthenticationError):
    """A sentinel refuses our name and password."""


class NoSentinel(driver.ConnectionError):
    """No sentinel could be reached."""


class SentinelRoutes(Routes):
    """One primary at a time; it is asked for once, and again whenever it may have changed.

    It is asked for before each new connection, which begins with ``ROLE``: a
    server that was the primary and comes back is not taken for it.
    """

    role: Role = "primary"

    def __init__(self, address: Address) -> None:
        super().__init__(address)
        self._primary: Node | None = None
        self._last: Node | None = None
        self._confirmed_at = -math.inf
        self._replicas = 1
        """Of so many replicas any may take the primary's place."""

    def send(self, ask: Ask) -> Route:
        """One attempt at the primary; see :meth:`Routes.send`."""
        primary = yield from self._known(ask)
        confirmed, wanted = self._is_confirmed(CONFIRMED_S), self._replicas
        try:
            answers = yield Send(
                primary, packed_for(ask, wanted), ask.answers, ask.block_s, "primary", confirmed
            )
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
        return self.judged(ask, answers, wanted)

    def doubt(self) -> None:
        """Ask the sentinels again before the next request."""
        self._primary = None

    def look_again(self) -> None:
        """Ask the sentinels again before the next commit, if any answers."""
        self._confirmed_at = -math.inf

    def primaries(self) -> Route:
        """Ask all sentinels for the primary; who knows of the latest failover is believed.

        Raises:
            UnknownMaster: none knows a master of this name.
            Again: none of them can be reached.
        """
        packed = pack(["SENTINEL", "MASTER", self.address.master])
        packed += pack(["SENTINEL", "REPLICAS", self.address.master])
        answers: list[tuple[Node, Any]] = []
        replicas = [1]
        reason: Exception = NoSentinel("none was asked")
        for sentinel in self.address.nodes:
            try:
                answer, others = yield Send(sentinel, packed, 2, role="sentinel")
            except NotSent as fault:
                reason = fault.reason
                if isinstance(reason, driver.AuthenticationError):
                    raise Hopeless(SentinelLogin(str(reason))) from None
                if is_hopeless(fault):
                    raise Hopeless(reason, fault.beneath) from None
            except LOST as fault:
                reason = fault
            else:
                answers.append((sentinel, answer))
                replicas.append(count_heirs(answer, others))
        if not answers:
            raise Again(NoSentinel(f"no sentinel answers; the last one: {reason}"))
        yield from self._believe(latest(answers))
        self._replicas = max(replicas)
        return [self._primary]

    def _known(self, ask: Ask) -> Route:
        """The primary; how many replicas it has may be asked for again, if anybody answers."""
        known = self._primary
        if known and (not ask.is_replicated or self._is_confirmed(VIEW_S)):
            return known
        try:
            (primary,) = yield from self.primaries()
        except Again:
            if known is None:
                raise
            return known  # without sentinels nobody takes its place
        return primary

    def _is_confirmed(self, seconds: float) -> bool:
        return time.monotonic() - self._confirmed_at < seconds

    def _believe(self, primary: Node) -> Generator[Forget, Any, None]:
        before, self._last = self._last, primary
        if before is not None and before != primary:
            yield Forget(before, "primary")
        self._primary, self._confirmed_at = primary, time.monotonic()


def count_heirs(primary: Any, replicas: Any) -> int:
    """How many replicas may take the primary's place, from what a sentinel says of both.

    Those that are gone, or behind with a link that is down, may not; during a failover any.
    """
    if not isinstance(primary, list) or not isinstance(replicas, list):
        return 0
    told = [_facts(replica) for replica in replicas]
    if b"failover_in_progress" in _facts(primary)[b"flags"]:
        return len(told)
    return sum(
        not any(gone in each[b"flags"] for gone in GONE)
        and (each[b"master-link-status"] == b"ok" or each[b"role-reported"] == b"master")
        for each in told
    )


def _facts(answer: Any) -> dict[bytes, bytes]:
    return dict(zip(answer[::2], answer[1::2], strict=True))


def latest(answers: list[tuple[Node, Any]]) -> Node:
    """The primary of the latest failover, from the answers of sentinels to ``SENTINEL MASTER``.

    A sentinel learns of a failover that others did up to some seconds later.

    Raises:
        UnknownMaster: none of them knows the master.
    """
    known = []
    for sentinel, answer in answers:
        if isinstance(answer, list):
            facts = _facts(answer)
            node = Node(facts[b"ip"].decode(), int(facts[b"port"]))
            known.append((int(facts[b"config-epoch"]), node))
        elif "No such master" not in str(answer):
            raise answer
        else:
            reason = f"the sentinel at {sentinel} knows no such master"
    if not known:
        raise UnknownMaster(reason)
    return max(known, key=lambda each: each[0])[1]
