"""What sentinels say of an engine: who its primary is, and who may take its place; no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import redis as driver

from statecore.store.addresses import Node

GONE = (b"s_down", b"o_down", b"disconnected")
"""Flags of a replica that cannot be reached."""
FAILING = (b"o_down", b"failover_in_progress")
"""Flags of a primary whose place another is about to take."""
VIEW_S = 1.0
"""So long at most what was said of replicas is good."""


class UnknownMaster(driver.ResponseError):
    """The sentinels know no master of this name."""


class Said(NamedTuple):
    """The answers of one sentinel to ``SENTINEL MASTER`` and ``SENTINEL REPLICAS``."""

    sentinel: Node
    master: Any
    replicas: Any


class View(NamedTuple):
    """What the sentinels said of an engine at one time."""

    primary: Node
    heirs: int = 1
    """Of so many replicas any may take the primary's place; at least one."""
    replicas: int = 1
    """So many there are, those that are gone among them; at least one."""
    is_open: bool = False
    """Whether the sentinels have not agreed yet who is the primary, while a replica is missing."""
    gone: frozenset[Node] = frozenset()
    """The replicas that no sentinel reaches."""
    good_until: float = 0.0
    """Before this nobody can have taken the primary's place (monotonic, s)."""

    def is_enough(self, confirmed: int, role: Any, at: float) -> bool:
        """Whether a commit outlives its primary that so many replicas confirmed before ``at``.

        What all replicas have is never lost. Where one was left out, nobody may have taken
        the primary's place in the meantime, and those count as well that the primary calls
        online in its answer to ``ROLE``: one may have come back that the sentinels do not
        know of yet.
        """
        if confirmed >= self.replicas:
            return True
        return confirmed >= max(self.heirs, self.count_online(role)) and at < self.good_until

    def count_online(self, role: Any) -> int:
        """How many replicas a primary sends its commits to, without those that are gone."""
        online = [Node(host.decode(), int(port)) for host, port, _ in role[2]]
        return sum(each not in self.gone for each in online)


def view_of(said: Sequence[Said], asked_at: float) -> View:
    """The view that follows from the answers of sentinels that were asked at some time.

    Only what a majority of all sentinels agrees on lets a replica be left out: a few that are
    cut off from the others do not know who is the primary there.

    Raises:
        UnknownMaster: none of them knows the master.
    """
    primary = latest([(each.sentinel, each.master) for each in said])
    agreed = [each for each in said if _names(each.master, primary)]
    masters = [_facts(each.master) for each in agreed]
    told = [[_facts(one) for one in _listed(each.replicas)] for each in agreed]
    replicas = max(1, *map(len, told))
    sentinels = 1 + max(int(master[b"num-other-sentinels"]) for master in masters)
    is_certain = 2 * len(agreed) > sentinels and not any(map(_is_failing, masters))
    heirs = max(1, *map(_count_heirs, told))
    lasts_s = min(VIEW_S, *map(_spared_s, masters))
    return View(
        primary=primary, heirs=heirs if is_certain else replicas, replicas=replicas,
        is_open=not is_certain and heirs < replicas,
        gone=frozenset.intersection(*map(_gone_among, told)), good_until=asked_at + lasts_s,
    )  # fmt: skip


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
            known.append((int(facts[b"config-epoch"]), _node(facts)))
        elif "No such master" not in str(answer):
            raise answer
        else:
            reason = f"the sentinel at {sentinel} knows no such master"
    if not known:
        raise UnknownMaster(reason)
    return max(known, key=lambda each: each[0])[1]


def _count_heirs(replicas: list[dict[bytes, bytes]]) -> int:
    """How many replicas may take the primary's place, from what a sentinel says of them.

    Those that are gone, or behind with a link that is down, may not.
    """
    return sum(
        not _is_gone(each)
        and (each[b"master-link-status"] == b"ok" or each[b"role-reported"] == b"master")
        for each in replicas
    )


def _gone_among(replicas: list[dict[bytes, bytes]]) -> frozenset[Node]:
    return frozenset(_node(each) for each in replicas if _is_gone(each))


def _is_gone(replica: dict[bytes, bytes]) -> bool:
    return any(flag in replica[b"flags"] for flag in GONE)


def _is_failing(master: dict[bytes, bytes]) -> bool:
    return any(flag in master[b"flags"] for flag in FAILING)


def _spared_s(master: dict[bytes, bytes]) -> float:
    """How long this sentinel will not call the primary gone, whatever becomes of that."""
    silent_ms = int(master[b"last-ok-ping-reply"])
    return (int(master[b"down-after-milliseconds"]) - silent_ms) / 1000


def _names(master: Any, primary: Node) -> bool:
    return isinstance(master, list) and _node(_facts(master)) == primary


def _node(server: dict[bytes, bytes]) -> Node:
    return Node(server[b"ip"].decode(), int(server[b"port"]))


def _listed(answer: Any) -> list[Any]:
    return answer if isinstance(answer, list) else []


def _facts(answer: Any) -> dict[bytes, bytes]:
    return dict(zip(answer[::2], answer[1::2], strict=True))
