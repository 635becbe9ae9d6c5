"""Frames: what a socket is sent. Made from the events' own JSON, which is never encoded again."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

import msgspec

from orchard.codec import UNREADABLE
from orchard.domain import events
from orchard.live.topics import Head, belongs, topics_of
from statecore.domain.events import IssueRenewed

RESET = '{"reset":true}'
AWAY = '{"engine":"away"}'
BACK = '{"engine":"back"}'

_heads = msgspec.json.Decoder(Head)

_JOB_PROGRESSED, _CHUNK_PROGRESSED, _JOB_ADVANCED, _CHUNK_REQUEUED, _ISSUE_RENEWED = (
    event.__struct_config__.tag
    for event in (
        events.JobProgressed, events.ChunkProgressed, events.JobAdvanced, events.ChunkRequeued,
        IssueRenewed,
    )
)  # fmt: skip


class SharedText(str):
    """A frame that many sockets are sent."""

    __slots__ = ("__weakref__", "packed")

    packed: bytes
    """The frame as it goes over the wire, empty until the first socket has packed it."""

    def __new__(cls, text: str) -> SharedText:
        """A frame that nobody has packed yet."""
        made = super().__new__(cls, text)
        made.packed = b""
        return made


class Entry(NamedTuple):
    """One event of the stream, read once for all sockets of the process."""

    cursor: str
    raw: bytes
    """The event's JSON as it stands in the stream."""
    topics: frozenset[str]
    progress_of: Hashable | None
    """Whose progress it tells; of several, the latest is enough."""
    offers_work: bool
    """Whether a chunk may be claimable now that was not before."""


def make_entry(cursor: str, raw: bytes) -> Entry:
    """What the sockets need to know of an event, also of one that only a newer process knows."""
    try:
        head = _heads.decode(raw)
    except UNREADABLE:  # put there by hand
        return Entry(cursor, raw, frozenset(), None, False)
    return Entry(cursor, raw, topics_of(head), _progress_of(head), _offers_work(head))


def select(entries: Iterable[Entry], topic: str) -> list[Entry]:
    """The entries of a topic, of the progress of one thing only the latest.

    What changes a state is never left out.
    """
    kept: list[Entry] = []
    told: set[Hashable] = set()
    for entry in reversed(list(entries)):
        if not belongs(entry.topics, topic):
            continue
        if entry.progress_of is not None:
            if entry.progress_of in told:
                continue
            told.add(entry.progress_of)
        kept.append(entry)
    kept.reverse()
    return kept


def make_frame(cursor: str, entries: Sequence[Entry]) -> str:
    """One frame: the events, and the cursor to go on from after a drop."""
    shown = b",".join(entry.raw for entry in entries).decode()
    return f'{{"cursor":{msgspec.json.encode(cursor).decode()},"events":[{shown}]}}'


def _progress_of(head: Head) -> Hashable | None:
    if head.name == _JOB_PROGRESSED:
        return head.job_id, head.stage
    if head.name == _CHUNK_PROGRESSED:
        return head.job_id, head.index
    return ("issue", head.issue) if head.name == _ISSUE_RENEWED else None


def _offers_work(head: Head) -> bool:
    if head.name == _JOB_ADVANCED:
        return head.status == "processing"
    return head.name == _CHUNK_REQUEUED
