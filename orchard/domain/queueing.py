"""Queueing: where a chunk stands in the queue of all jobs, as one number.

A recording's turn is when it came in plus a part of its length. So a short recording
overtakes a long one that came in a little earlier, and nothing is overtaken for ever:
turns do not move, and time does. The chunks of one turn stand together, the longest
first, so that recordings end one after the other.
"""

from __future__ import annotations

from datetime import datetime

LENGTH_WEIGHT = 0.25
"""So many seconds each second of speech puts a recording back."""
_STEP = 1_000_000
"""Places within one second of turns: one for each millisecond that a chunk may last."""


def turn_of(created_at: datetime, speech_ms: int) -> int:
    """When it is a recording's turn, in seconds since 1970."""
    return int(created_at.timestamp() + speech_ms / 1000 * LENGTH_WEIGHT)


def queue_place(turn_s: int, duration_ms: int) -> float:
    """The score of a chunk in the queue; the lowest is handed out first."""
    return float(turn_s * _STEP + _STEP - 1 - min(max(duration_ms, 0), _STEP - 1))


def duration_ms_at(score: float) -> int:
    """How long a chunk lasts that stands there, in milliseconds."""
    return _STEP - 1 - int(score) % _STEP
