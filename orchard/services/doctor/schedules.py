"""Schedules: their records, and where they stand in the list of what is due."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchard import codec, keys
from orchard.services.doctor.catalogue import SCHEDULE
from orchard.services.doctor.judging import Fault
from orchard.services.doctor.symptoms import found
from orchard.services.schedules import cell_of, dropping, place_of, writes_of
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.findings import Examiner, Finding, Subject


class ScheduleExaminer(Examiner):
    """Schedules with their list."""

    kind = SCHEDULE

    def look(self, store: Store, names: Sequence[str]) -> list[Finding]:
        """What is wrong with these schedules."""
        return [
            found(code, Subject(SCHEDULE, name), what)
            for name in names
            for code, what in _judge(*_read(store, name))
        ]

    def mend(self, store: Store, name: str) -> list[Finding]:
        """Write where the schedule stands anew."""
        raw, place = _read(store, name)
        wrong = [
            found(code, Subject(SCHEDULE, name), what)
            for code, what in _judge(raw, place)
            if code != "schedule-unreadable"
        ]
        if wrong:
            writes = dropping(name) if raw is None else writes_of(codec.decode_schedule(raw))
            if isinstance(store.commit({cell_of(name): raw}, writes), ops.Committed):
                return wrong
        return []


def _read(store: Store, name: str) -> tuple[bytes | None, float | None]:
    raw, place = store.read(cell_of(name), ops.Score(keys.SCHEDULES, name))
    return raw, place


def _judge(raw: bytes | None, place: float | None) -> Iterator[Fault]:
    if raw is None:
        if place is not None:
            yield "schedule-gone", "There is no such schedule."
        return
    readable = codec.readable(codec.decode_schedule, [raw])
    if not readable:
        yield "schedule-unreadable", "The record is no schedule."
    elif place != place_of(readable[0]):
        yield "schedule-misplaced", "The list does not have it at its next time."
