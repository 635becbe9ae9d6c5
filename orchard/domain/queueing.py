"""Queueing: where a chunk stands in the queue of all jobs, as one number.

A recording's turn is when it came in plus a part of its length. So a short recording
overtakes a long one that came in a little earlier, and nothing is overtaken for ever:
turns do not move, and time does. The chunks of one turn stand together, the longest
first, so that recordings end one after the other.
"""

from __future__ import annotations

from datetime import datetime

from orchard.domain.orders import NORMAL

LENGTH_WEIGHT = 0.25
"""So much later, for each second of speech, is a recording's turn."""
PRIORITY_MS = 20 * 60_000
"""So much earlier, for each step of priority, is a job's turn; nobody is overtaken for ever."""
_UNIT_MS = 10
"""Turns and lengths count in hundredths of a second, so that both fit into one exact number."""
_LENGTHS = 20_000
"""Places within one turn: chunks of 200 s and more stand at its front."""


def turn_of(ready_at: datetime, speech_ms: int, priority: int = NORMAL) -> int:
    """When it is a recording's turn, in milliseconds since 1970."""
    return round(ready_at.timestamp() * 1000 + speech_ms * LENGTH_WEIGHT) + sooner(priority)


def sooner(priority: int) -> int:
    """By how much a priority moves a turn, in milliseconds; negative: it comes earlier."""
    return (NORMAL - priority) * PRIORITY_MS


def queue_place(turn_ms: int, duration_ms: int) -> float:
    """The score of a chunk in the queue; the lowest is handed out first."""
    length = min(max(duration_ms, 0) // _UNIT_MS, _LENGTHS - 1)
    return float(turn_ms // _UNIT_MS * _LENGTHS + _LENGTHS - 1 - length)


def duration_ms_at(place: float) -> int:
    """How long a chunk lasts that stands there, in milliseconds, to a hundredth of a second."""
    return (_LENGTHS - 1 - int(place) % _LENGTHS) * _UNIT_MS
