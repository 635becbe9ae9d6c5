"""Topics: what a socket can follow, and which of them an event belongs to."""

from __future__ import annotations

import re

import msgspec

FLEET, ALL = "fleet", "events"

_SINGLE = {FLEET, ALL, "schedules", "issues", "processes", "locks", "labels", "state"}
_OF_ONE = re.compile(r"job:.{1,64}|issue:\d{1,16}|state:.{1,200}", re.ASCII)
_LISTS = {"schedule": "schedules", "issue": "issues", "process": "processes", "lock": "locks",
          "label": "labels", "state": "state"}  # fmt: skip
"""Kinds of events that have a topic of their own, and the topics that have all of a kind."""


class Head(msgspec.Struct, frozen=True):
    """What of an event says whom it concerns; of either side, and of whatever is to come."""

    name: str
    job_id: str | None = None
    issue: int | None = None
    namespace: str | None = None
    status: str | None = None
    stage: str | None = None
    index: int | None = None


def check_topic(topic: str) -> bool:
    """Whether there is such a topic; see :func:`topics_of`."""
    return topic in _SINGLE or _OF_ONE.fullmatch(topic) is not None


def scopes_of(topic: str) -> tuple[str, ...]:
    """Any of these scopes lets a token follow a topic, as it lets it read by REST."""
    kind = topic.partition(":")[0]
    if kind == "state":
        return ("state", "read")
    return ("read",) if kind in (FLEET, ALL, "job", "schedules") else ("issues", "read")


def topics_of(head: Head) -> frozenset[str]:
    """The topics of an event: ``fleet`` has all of jobs, chunks and workers, ``job:<id>`` one job.

    ``schedules`` has all of schedules;
    ``issues``, ``processes``, ``locks``, ``labels`` and ``state`` have those of the state side;
    ``issue:<n>`` has one issue and its label requests, ``state:<namespace>`` one namespace.
    ``events`` has every event that has a topic at all; see :func:`belongs`.
    """
    kind = head.name.partition(".")[0]
    found = {_LISTS.get(kind, FLEET)}
    if kind in ("issue", "label") and head.issue is not None:
        found.add(f"issue:{head.issue}")
    if kind == "state" and head.namespace is not None:
        found.add(f"state:{head.namespace}")
    if FLEET in found and head.job_id is not None:
        found.add(f"job:{head.job_id}")
    return frozenset(found)


def belongs(topics: frozenset[str], topic: str) -> bool:
    """Whether an event of these topics is one that a topic has."""
    return topic in topics or (topic == ALL and bool(topics))
