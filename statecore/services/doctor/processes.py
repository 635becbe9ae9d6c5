"""Processes: the lists they stand in, and what they are said to hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from statecore import codec, keys
from statecore.domain.errors import DamagedRecord
from statecore.domain.processes import ACTIVE
from statecore.repository import epoch_ms, issue_cells
from statecore.services.doctor.catalogue import PROCESS
from statecore.services.doctor.snapshots import Fault, RecordExaminer
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.drafts import WriteDraft
from statecore.store.walking import contains, look_at


class ProcessSeen(NamedTuple):
    """A process and all that is said of it."""

    name: str
    info: Mapping[str, bytes]
    ttl_ms: int | None
    listed: float | None
    is_active: bool
    is_zombie: bool
    claimed: tuple[str, ...]
    """Numbers of issues that it is said to hold."""
    held: tuple[str, ...]
    """Those of them that it does hold."""


class ProcessExaminer(RecordExaminer[ProcessSeen]):
    """Processes with their lists."""

    kind = PROCESS

    def read(self, store: Store, names: Sequence[str]) -> Iterator[ProcessSeen]:
        """These processes."""
        return (_read(store, name) for name in names)

    def judge(self, seen: ProcessSeen, at: datetime) -> Iterator[Fault]:
        """All that is wrong with a process, whatever the time."""
        return judge(seen)

    def record(self, seen: ProcessSeen) -> Mapping[ops.Cell, bytes | None]:
        """Whether it is active."""
        return {ops.Field(keys.process_info(seen.name), "status"): seen.info.get("status")}

    def writes(self, store: Store, seen: ProcessSeen) -> Sequence[ops.Write]:
        """Put it where its record says."""
        return _writes(store, seen)


def judge(seen: ProcessSeen) -> Iterator[Fault]:
    """All that is wrong with a process."""
    is_marked = seen.is_active or seen.is_zombie
    if not seen.info:
        if not seen.held and (is_marked or seen.listed is not None):
            yield "process-gone", "Nothing else is known of it."
    elif _is_active(seen):
        if seen.listed is None or seen.is_active == seen.is_zombie:
            yield "process-misplaced", "It is active, and the lists say otherwise."
        if seen.ttl_ms is not None:
            yield "process-ttl", "It is active, and its record would expire."
    else:
        if is_marked or seen.listed is not None:
            yield "process-misplaced", "It has ended, and the lists say otherwise."
        if seen.ttl_ms is None:
            yield "process-ttl", "It has ended, and its record would stay for ever."
    if over := [number for number in seen.claimed if number not in seen.held]:
        yield "process-overstated", f"It does not hold {', '.join(f'#{n}' for n in over[:3])}."


def _is_active(seen: ProcessSeen) -> bool:
    return seen.info.get("status", ACTIVE.encode()) == ACTIVE.encode()


def _writes(store: Store, seen: ProcessSeen) -> tuple[ops.Write, ...]:
    draft, is_here = WriteDraft(), bool(seen.info) and _is_active(seen)
    draft.member(keys.PROCESSES_ZOMBIES, seen.name, present=is_here and seen.is_zombie)
    draft.member(keys.PROCESSES_ACTIVE, seen.name, present=is_here and not seen.is_zombie)
    heard = codec.decode_process(seen.name, seen.info).last_seen or store.now()
    place = seen.listed if seen.listed is not None else epoch_ms(heard)
    draft.place(keys.PROCESSES, seen.name, place if is_here else None)
    for number in seen.claimed:
        if number not in seen.held:
            draft.member(keys.process_issues(seen.name), number, present=False)
    draft.expire(keys.process_info(seen.name), None if is_here else keys.PROCESS_TTL_MS)
    return draft.writes()


def _read(store: Store, name: str) -> ProcessSeen:
    """The process."""
    refs = (
        ops.WholeHash(keys.process_info(name)), ops.Score(keys.PROCESSES, name),
        ops.Members(keys.process_issues(name)),
    )  # fmt: skip
    _, _, numbers = store.read(*refs)
    known = sorted(number for number in numbers if number.isdigit())
    cells = [issue_cells(int(number))[0] for number in known]
    info, listed, claimed, *raws = store.read(*refs, *cells)
    (fact,) = look_at(store, [keys.process_info(name)])
    (is_active,) = contains(store, keys.PROCESSES_ACTIVE, [name])
    (is_zombie,) = contains(store, keys.PROCESSES_ZOMBIES, [name])
    held = tuple(n for n, raw in zip(known, raws, strict=True) if _holds(name, n, raw))
    return ProcessSeen(
        name, info, fact.ttl_ms, listed, is_active, is_zombie, tuple(sorted(claimed)), held
    )


def _holds(name: str, number: str, raw: bytes | None) -> bool:
    try:
        issue = None if raw is None else codec.decode_issue(int(number), raw)
    except DamagedRecord:
        return True  # nobody knows: the record that cannot be read is a finding of its own
    return bool(issue and issue.is_held and issue.process_id == name)
