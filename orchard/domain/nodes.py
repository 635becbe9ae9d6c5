"""Push nodes: how one is doing, when it is tried again, and how long it may take."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median

import msgspec

FAILED_KEPT = 20
"""How many of the chunks that it failed a node is remembered for."""
UNMEASURED = 2.0
"""Time over length of sound that is expected of a node before it was measured."""
PATIENCE = 3
"""A chunk may take so many times the expected time (DESIGN section 7)."""
SHORTEST_S = 10.0
"""Least time that any chunk may take, in seconds: a phone has to wake up first."""


class Condition(StrEnum):
    """What is the matter with a push node."""

    WELL = "well"
    """It answers as it should."""
    UNREACHABLE = "unreachable"
    """There is no connection to it."""
    BREAKING = "breaking"
    """It ends the connection before it has answered."""
    FAILING = "failing"
    """It answers that it could not do it."""
    NONSENSE = "nonsense"
    """What it answers cannot be true, or is no transcript at all."""
    SLOW = "slow"
    """It does not finish in the time that it needed before."""
    FORBIDDEN = "forbidden"
    """Its name leads to an address where no node may be."""


AWAY = frozenset({Condition.UNREACHABLE, Condition.FORBIDDEN})
"""Nothing is heard of a node in one of these; any sign of life ends them."""


class NodeHealth(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a push node is doing. It gets no chunk before ``retry_at``."""

    condition: Condition
    reason: str = ""
    failures: int = 0
    """Failures in a row."""
    checked_at: datetime | None = None
    """When it was last asked for anything."""
    retry_at: datetime | None = None
    failed_on: tuple[str, ...] = ()
    """The last chunks that it failed; others get them first."""


class Rests(msgspec.Struct, frozen=True, kw_only=True):
    """How long a node rests after a failure, in seconds; doubling, up to the limit."""

    first_s: float = 5.0
    longest_s: float = 60.0

    def after(self, failures: int) -> float:
        """Seconds of rest after so many failures in a row."""
        return float(min(self.first_s * 2 ** max(0, min(failures, 30) - 1), self.longest_s))


def note_sign(health: NodeHealth | None, *, at: datetime) -> NodeHealth:
    """Note that a node answered when it was asked how it is.

    That ends its being away; what went wrong with a chunk only a chunk puts right.
    """
    if health is None or health.condition in AWAY:
        return NodeHealth(
            condition=Condition.WELL, checked_at=at, failed_on=health.failed_on if health else ()
        )
    return msgspec.structs.replace(health, checked_at=at)


def note_success(health: NodeHealth | None, *, at: datetime) -> NodeHealth:
    """Note that a node has done a chunk."""
    failed_on = health.failed_on if health else ()
    return NodeHealth(condition=Condition.WELL, checked_at=at, failed_on=failed_on)


def note_fault(
    health: NodeHealth | None, condition: Condition, reason: str, rests: Rests, *,
    at: datetime, chunk: str = "",
) -> NodeHealth:  # fmt: skip
    """Note what went wrong with a node, and let it rest; ``chunk`` is what it failed."""
    before = health or NodeHealth(condition=Condition.WELL)
    failures = before.failures + 1
    failed_on = tuple(dict.fromkeys([*before.failed_on, *filter(None, [chunk])]))[-FAILED_KEPT:]
    return NodeHealth(
        condition=condition, reason=reason[:300], failures=failures, checked_at=at,
        retry_at=at + timedelta(seconds=rests.after(failures)), failed_on=failed_on,
    )  # fmt: skip


def is_blamed_on_chunk(
    health: NodeHealth | None, condition: Condition, chunk: str, *, completed: int
) -> bool:
    """Whether a failure costs the chunk an attempt.

    A node that never did a chunk, or failed its last one, is more likely at
    fault than the chunk; unless it fails the same chunk a second time.
    """
    if condition in AWAY:
        return False
    is_proven = completed > 0 and (health is None or not health.failures)
    return is_proven or (health is not None and chunk in health.failed_on)


def timeout_s(
    ratios: Sequence[float], duration_ms: int, *, longest_s: float, health: NodeHealth | None
) -> float:
    """How long a node may take over a chunk, in seconds, learned from its speed so far.

    A node that was too slow gets twice the time whenever it is tried again.
    """
    known = [ratio for ratio in ratios if ratio > 0]
    expected_s = (median(known) if known else UNMEASURED) * duration_ms / 1000
    is_slow = health is not None and health.condition is Condition.SLOW
    grace = 2 ** min(health.failures, 10) if health and is_slow else 1
    return min(max(PATIENCE * expected_s * grace, SHORTEST_S), longest_s)
