"""Which node of a cluster has which keys; redirections are followed; no I/O."""

from __future__ import annotations

import math
import random
import time
from typing import Any

import redis as driver
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from statecore.store.addresses import Address, Node
from statecore.store.checks import encode
from statecore.store.doors import Role
from statecore.store.errors import CrossPartition
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

ASKING = pack(["ASKING"])
SLOTS = pack(["CLUSTER", "SLOTS"])
VIEW_S = 1.0
"""So long what the map said of replicas is good for commits that count when they have them."""
MOST_REDIRECTIONS = 5
"""In a row, without a rest: more than a resharding needs."""


class ClusterRoutes(Routes):
    """The map of slots; each redirection corrects it, and a doubt has it fetched anew."""

    role: Role = "server"

    def __init__(self, address: Address) -> None:
        super().__init__(address)
        self._slots: dict[int, Node] = {}
        self._replicas: dict[Node, int] = {}
        self._fetched_at = -math.inf
        self._is_doubted = True
        self._suspect: Node | None = None
        self.redirections = {"MOVED": 0, "ASK": 0, "TRYAGAIN": 0}
        """How many of each kind there were, for whoever wants to know."""

    def send(self, ask: Ask) -> Route:
        """One attempt, with the redirections that it meets; see :meth:`Routes.send`."""
        slot = slot_of(ask.keys)
        if self._is_doubted or slot not in self._slots or self._is_old(ask):
            yield from self.primaries()
        node, prefix = self._slots.get(slot), b""
        for _ in range(MOST_REDIRECTIONS):
            if node is None:
                raise Again(driver.exceptions.ClusterDownError(f"no node has slot {slot}"))
            answers = yield from self._send_to(node, ask, prefix)
            answer = answers[0]
            if isinstance(answer, driver.exceptions.MovedError):
                self.redirections["MOVED"] += 1
                node, prefix = _named(answer, node), b""
                self._slots[slot] = node
                self._is_doubted = True  # seldom does one slot move alone
            elif isinstance(answer, driver.exceptions.AskError):
                self.redirections["ASK"] += 1
                node, prefix = _named(answer, node), ASKING
            elif is_for_later(answer):
                self._is_wanted_later(answer)
                raise Again(answer)
            else:
                return self._judged(ask, answers, self._replicas_of(node))
        raise Again(driver.exceptions.ClusterDownError("redirected in a circle"))

    def doubt(self) -> None:
        """Fetch the map again before the next request."""
        self._is_doubted = True

    def primaries(self) -> Route:
        """Fetch the map of slots from any node that has one.

        Raises:
            Again: no node can be reached.
        """
        known = [*dict.fromkeys(self._slots.values())]
        random.shuffle(known)
        known.sort(key=lambda each: each == self._suspect)
        reason: Exception = driver.ConnectionError("no node was asked")
        for node in dict.fromkeys([*known, *self.address.nodes]):
            try:
                (answer,) = yield Send(node, SLOTS)
            except NotSent as fault:
                reason = fault.reason
                if is_hopeless(fault):
                    raise Hopeless(reason, fault.beneath) from None
            except LOST as fault:
                reason = fault
            else:
                if isinstance(answer, driver.ResponseError):
                    raise answer
                self._slots, self._replicas = parse_slots(answer, node)
                self._is_doubted, self._fetched_at = False, time.monotonic()
                found = [*dict.fromkeys(self._slots.values())]
                for left in set(known) - set(found):
                    yield Forget(left, self.role)
                return found
        raise Again(reason)

    def _send_to(self, node: Node, ask: Ask, prefix: bytes) -> Route:
        skipped = 1 if prefix else 0
        try:
            packed = prefix + packed_for(ask, self._replicas_of(node))
            answers = yield Send(node, packed, ask.answers + skipped, ask.block_s)
        except NotSent as fault:
            self.doubt()
            self._suspect = node
            if is_hopeless(fault):
                raise Hopeless(fault.reason, fault.beneath) from None
            raise Again(fault.reason) from None
        except LOST:
            self._suspect = node
            raise
        return answers[skipped:]

    def _judged(self, ask: Ask, answers: list[Any], wanted: int) -> list[Any]:
        """The answers; the one to ``WAIT`` becomes whether enough replicas have said yes.

        If not, somebody else may be the primary by now, or a replica is gone.
        """
        if not ask.is_replicated:
            return answers
        *others, count = answers
        is_enough = isinstance(count, int) and count >= wanted
        if not is_enough:
            self.doubt()
        return [*others, is_enough]

    def _is_old(self, ask: Ask) -> bool:
        return ask.is_replicated and time.monotonic() - self._fetched_at > VIEW_S

    def _replicas_of(self, node: Node) -> int:
        """How many replicas there are of which any may take this primary's place; at least one."""
        return max(1, self._replicas.get(node, 1))

    def _is_wanted_later(self, answer: Exception) -> None:
        if isinstance(answer, driver.exceptions.TryAgainError):
            self.redirections["TRYAGAIN"] += 1
        else:
            self.doubt()


def slot_of(keys: Any) -> int:
    """The slot of some keys; without keys any will do.

    Raises:
        CrossPartition: they are in different slots.
    """
    slots = {key_slot(encode(key)): key for key in keys}
    if len(slots) > 1:
        raise CrossPartition(
            f"{' and '.join(slots.values())} are in different slots of the cluster (CROSSSLOT)"
        )
    return next(iter(slots), random.randrange(REDIS_CLUSTER_HASH_SLOTS))  # noqa: S311


def parse_slots(answer: Any, asked: Node) -> tuple[dict[int, Node], dict[Node, int]]:
    """The primary of each slot, and how many replicas each primary has that are not lost.

    From the answer to ``CLUSTER SLOTS`` of the node asked.
    """
    found: dict[int, Node] = {}
    replicas: dict[Node, int] = {}
    for first, last, primary, *others in answer:
        host = (primary[0] or b"").decode()
        node = Node(host if host not in ("", "?") else asked.host, int(primary[1]))
        found |= dict.fromkeys(range(int(first), int(last) + 1), node)
        replicas[node] = len(others)
    return found, replicas


def _named(answer: Any, asked: Node) -> Node:
    """The node that a redirection names; without a host it is the one that was asked."""
    return Node(answer.host or asked.host, answer.port)
