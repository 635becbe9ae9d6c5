"""Schedules: kept in the engine, listed by their next time, changed, and removed."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from django.core.files import File

from orchard import codec, keys
from orchard.domain import schedules
from orchard.domain.errors import InvalidInput, TransitionRefused
from orchard.domain.events import Event
from orchard.domain.jobs import check_filename
from orchard.domain.schedules import Change, Schedule, Tell, UnknownSchedule, is_schedule_id
from orchard.ports import recordings, schedule_files
from orchard.repository import Draft
from orchard.services import limits
from orchard.services.accepting import check_acceptable
from orchard.services.engine import run
from statecore.store import ops
from statecore.store.drafts import WriteDraft, epoch_ms
from statecore.store.steps import Decision, Seen, Steps, now, read, scan_index, transact

MOST = 500
"""Most schedules of a site."""
ORPHAN_AGE_S = 3600.0
"""Files younger than this may be of a schedule that is on its way in."""


def cell_of(schedule_id: str) -> ops.Key:
    """Where a schedule's record is."""
    return ops.Key(keys.schedule(schedule_id))


def writes_of(schedule: Schedule) -> tuple[ops.Write, ...]:
    """Write a record, and put it where its next time is; disabled ones stand behind all."""
    draft = WriteDraft()
    draft.put(keys.schedule(schedule.schedule_id), codec.encode_schedule(schedule))
    draft.place(keys.SCHEDULES, schedule.schedule_id, place_of(schedule))
    return draft.writes()


def place_of(schedule: Schedule) -> float:
    """Where it stands in the index."""
    return epoch_ms(schedule.next_at) if schedule.next_at else keys.PINNED_SCORE


def create(asked: Schedule, upload: File[Any]) -> Schedule:
    """Store a file that is to be handed in again and again; id, file and times come from here.

    Raises:
        InvalidInput: the file, the name, the expression or the zone is none.
        TransitionRefused: there are as many schedules as may be.
        EngineAway: the engine cannot be reached; asked before anything is stored.
    """
    filename = check_filename(upload.name or "")
    if not upload.size:
        raise InvalidInput("file", "the file is empty")
    at = run(_check_room())
    schedule_id = secrets.token_hex(8)
    made = schedules.begin(
        msgspec.structs.replace(
            asked, schedule_id=schedule_id, filename=filename, size=upload.size, created_at=at,
            source=schedule_files.source_name(schedule_id, filename),
        ),
        at,
    )  # fmt: skip
    check_acceptable(made.order, upload, filename)
    recordings.save(made.source, upload)
    run(transact([cell_of(schedule_id)], lambda seen, at: Decision(None, _beginning(made, at))))
    return made


def _beginning(made: Schedule, at: datetime) -> tuple[ops.Write, ...]:
    return (*writes_of(made), *_telling([schedules.tell_created(made, at)], at))


def _telling(events: Sequence[Event], at: datetime) -> tuple[ops.Write, ...]:
    draft = Draft(limits.keeping(), at)
    draft.events(events)
    return draft.writes()


def _check_room() -> Steps[datetime]:
    (count,) = yield from read(ops.Count(keys.SCHEDULES))
    if count >= MOST:
        raise TransitionRefused(f"there are {count} schedules; allowed: {MOST}")
    return (yield from now())


def list_all() -> Steps[list[Schedule]]:
    """All schedules, those first whose next time is soonest."""
    entries = yield from scan_index(keys.SCHEDULES, MOST)
    raws = yield from read(*(cell_of(name) for name, _ in entries))
    return codec.readable(codec.decode_schedule, raws)


def get(schedule_id: str) -> Steps[Schedule]:
    """A schedule.

    Raises:
        UnknownSchedule: there is none of this id.
    """
    cell = _known(schedule_id)
    (raw,) = yield from read(cell)
    return _require({cell: raw}, cell)


def change(schedule_id: str, facts: Mapping[str, Any]) -> Steps[Schedule]:
    """Change fields of a schedule; it waits for its next time from now on.

    Raises:
        UnknownSchedule: there is none of this id.
        InvalidInput: what it would be is none.
    """

    def decide(before: Schedule, at: datetime) -> Schedule:
        return schedules.begin(msgspec.structs.replace(before, **facts), at)

    return (yield from rewrite(schedule_id, decide))


def rewrite(
    schedule_id: str, decide: Change, tell: Tell = schedules.tell_changed
) -> Steps[Schedule]:
    """Put a schedule in place of what it was, and tell of it in the same commit.

    Raises:
        UnknownSchedule: there is none of this id.
    """
    cell = _known(schedule_id)

    def write(seen: Seen, at: datetime) -> Decision[Schedule]:
        before = _require(seen, cell)
        after = decide(before, at)
        if after == before:
            return Decision(after)
        return Decision(after, (*writes_of(after), *_telling(tell(before, after, at), at)))

    return (yield from transact([cell], write))


def remove(schedule_id: str) -> Schedule:
    """Hand its file in no more, and delete it; the jobs that it led to stay.

    Raises:
        UnknownSchedule: there is none of this id.
    """
    cell = _known(schedule_id)

    def decide(seen: Seen, at: datetime) -> Decision[Schedule]:
        found = _require(seen, cell)
        told = _telling([schedules.tell_deleted(found, at)], at)
        return Decision(found, (*dropping(schedule_id), *told))

    gone = run(transact([cell], decide))
    schedule_files.delete(schedule_id, gone.source)
    return gone


def dropping(schedule_id: str) -> tuple[ops.Write, ...]:
    """Forget a record and its place."""
    draft = WriteDraft()
    draft.delete(keys.schedule(schedule_id))
    draft.place(keys.SCHEDULES, schedule_id, None)
    return draft.writes()


def delete_orphaned_files(older_than_s: float = ORPHAN_AGE_S) -> list[str]:
    """Delete files of schedules that are gone, as after a ``FLUSHDB`` by hand."""
    found = schedule_files.list_sources(older_than_s)
    raws = run(read(*(cell_of(one) for one, _ in found))) if found else []
    gone = [pair for pair, raw in zip(found, raws, strict=True) if raw is None]
    for schedule_id, source in gone:
        schedule_files.delete(schedule_id, source)
    return [source for _, source in gone]


def _known(schedule_id: str) -> ops.Key:
    if not is_schedule_id(schedule_id):
        raise UnknownSchedule
    return cell_of(schedule_id)


def _require(seen: Seen, cell: ops.Key) -> Schedule:
    raw = seen.get(cell)
    if raw is None:
        raise UnknownSchedule
    return codec.decode_schedule(raw)
