"""Orders: what kind of work a job is, how urgent, when, and what its workers must have."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from orchard.domain.errors import InvalidInput

AUDIO = "audio"
"""The type of jobs that are recordings; what every worker can do unless it says otherwise."""
NORMAL = 5
PRIORITIES = {"low": 2, "normal": NORMAL, "high": 8}
"""Priorities that have a name; all are from 0 to 9, and the greatest goes first."""
LABELS_MAX = 5
"""Most labels that a job demands: each set of them is a queue of its own."""
FURTHEST = timedelta(days=366)

_TYPE = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}(=[A-Za-z0-9._-]{1,40})?")


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """How a job is to be done; the defaults are those of every recording."""

    job_type: str = AUDIO
    priority: int = NORMAL
    requires: tuple[str, ...] = ()
    """Labels that a worker must have."""
    run_at: datetime | None = None
    """No stage of it begins before."""


PLAIN = Order()


def lane_of(job_type: str, requires: Iterable[str]) -> str:
    """The lane in which its chunks wait: one for each type and set of labels.

    Empty for recordings that demand nothing.
    """
    labels = sorted(requires)
    return "" if job_type == AUDIO and not labels else "+".join([job_type, *labels])


def can_serve(lane: str, types: Iterable[str], labels: Iterable[str]) -> bool:
    """Whether a worker that does these types, and has these labels, can do what waits there."""
    job_type, *requires = lane.split("+")
    return (job_type or AUDIO) in types and set(requires) <= set(labels)


def type_of_lane(lane: str) -> str:
    """The type of the jobs that wait in a lane."""
    return lane.partition("+")[0] or AUDIO


def is_type_name(name: str) -> bool:
    """Whether a type of jobs may be called so."""
    return _TYPE.fullmatch(name) is not None


def parse_priority(text: str) -> int:
    """A priority as people write it: a name, or a digit.

    Raises:
        InvalidInput: it is neither.
    """
    word = text.strip().lower()
    if word in PRIORITIES:
        return PRIORITIES[word]
    if len(word) == 1 and word in "0123456789":
        return int(word)
    raise InvalidInput("priority", f"from 0 to 9, or {', '.join(PRIORITIES)}")


def parse_labels(field: str, labels: Iterable[str], most: int = LABELS_MAX) -> tuple[str, ...]:
    """Labels such as ``gpu`` or ``site=tokyo``, each once and in order.

    Raises:
        InvalidInput: one is none, or there are too many.
    """
    found = sorted({label.strip() for label in labels if label.strip()})
    if wrong := [label for label in found if not _LABEL.fullmatch(label)]:
        reason = f"{wrong[0][:60]!r} is no label; allowed: a word, or name=value"
        raise InvalidInput(field, f"{reason}, of letters, digits, dots and dashes")
    if len(found) > most:
        raise InvalidInput(field, f"at most {most} labels")
    return tuple(found)


def check_run_at(run_at: datetime | None, at: datetime) -> datetime | None:
    """When a job is to begin; nothing when that is over.

    Raises:
        InvalidInput: it is more than a year ahead, or in no time zone.
    """
    if run_at is None:
        return None
    if run_at.tzinfo is None:
        raise InvalidInput("run_at", "needs a time zone, such as 2026-11-22T08:00:00+09:00")
    if run_at > at + FURTHEST:
        raise InvalidInput("run_at", "more than a year ahead")
    return run_at if run_at > at else None
