"""Frames: what a socket is sent. Made from the events' own JSON, which is never encoded again."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from orchard.codec import decode_event
from orchard.domain import events
from orchard.domain.events import Event

FLEET = "fleet"
JOB = "job:"

RESET = '{"reset":true}'
AWAY = '{"engine":"away"}'
BACK = '{"engine":"back"}'

_PROGRESS = (events.JobProgressed, events.ChunkProgressed)


class Entry(NamedTuple):
    """One event of the stream, read once for all sockets of the process."""

    cursor: str
    raw: bytes
    """The event's JSON as it stands in the stream."""
    job_id: str | None
    progress_of: Hashable | None
    """Whose progress it tells; of several, the latest is enough."""
    offers_work: bool
    """Whether a chunk may be claimable now that was not before."""


def make_entry(cursor: str, raw: bytes) -> Entry:
    """What the sockets need to know of an event."""
    try:
        event = decode_event(raw)
    except msgspec.DecodeError:
        # A newer process of the same fleet tells something this one has no word for.
        return Entry(cursor, raw, None, None, False)
    return Entry(
        cursor, raw, getattr(event, "job_id", None), _progress_of(event), _offers_work(event)
    )


def check_topic(topic: str) -> bool:
    """Whether there is such a topic: ``fleet``, or ``job:<id>``."""
    return topic == FLEET or (topic.startswith(JOB) and 0 < len(topic) - len(JOB) <= 64)


def select(entries: Iterable[Entry], topic: str) -> list[Entry]:
    """The entries of a topic, of the progress of one thing only the latest.

    What changes a state is never left out.
    """
    job_id = None if topic == FLEET else topic.removeprefix(JOB)
    kept: list[Entry] = []
    told: set[Hashable] = set()
    for entry in reversed(list(entries)):
        if job_id is not None and entry.job_id != job_id:
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


def _progress_of(event: Event) -> Hashable | None:
    if not isinstance(event, _PROGRESS):
        return None
    part: Any = event.index if isinstance(event, events.ChunkProgressed) else event.stage
    return event.job_id, part


def _offers_work(event: Event) -> bool:
    if isinstance(event, events.JobAdvanced):
        return event.status == "processing"
    return isinstance(event, events.ChunkRequeued)
