"""Processes: they announce themselves, show life, and end; what they held is given back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from statecore import codec, keys
from statecore.domain import issues, processes
from statecore.domain.errors import DamagedRecord, StateError, UnknownProcess
from statecore.domain.events import ProcessEnded, ProcessRegistered
from statecore.domain.issues import Claimant, Issue, IssueChange
from statecore.domain.lifecycle import IssueStatus
from statecore.domain.names import check_name
from statecore.domain.processes import Process
from statecore.repository import Draft, epoch_ms
from statecore.services import checkouts
from statecore.services.engine import get_limits
from statecore.services.issue_lists import check_cursor
from statecore.store import ops
from statecore.store.cursors import make_cursor
from statecore.store.steps import Decision, Seen, Steps, now, read, scan_index, transact

BATCH = 100
"""Dead processes looked at in one go."""


def register(
    process_id: str, *, pid: int | None = None, host: str | None = None, role: str = "agent",
    task_type: str | None = None,
) -> Steps[Process]:  # fmt: skip
    """Announce a process; one that is known begins anew.

    Raises:
        InvalidInput: its id cannot be a name.
    """
    at = yield from now()
    process = processes.announce(
        process_id, pid=pid, host=host, role=role, task_type=task_type, at=at
    )
    draft = Draft(get_limits(), at)
    draft.process(process)
    draft.events([ProcessRegistered(at=at, process_id=process_id, role=role)])
    yield ops.Commit({}, draft.writes())
    return process


def heartbeat(process_id: str, *, renews: bool = True) -> Steps[int]:
    """Note a sign of life of a process and, unless told otherwise, of all that it holds.

    Returns how long it now counts as alive, in ms. One that nobody knows is registered.

    Raises:
        InvalidInput: its id cannot be a name.
    """
    check_name("process_id", process_id)
    info = ops.WholeHash(keys.process_info(process_id))
    fields, held = yield from read(info, ops.Members(keys.process_issues(process_id)))
    if not fields:
        yield from register(process_id)
    else:
        at = yield from now()
        draft = Draft(get_limits(), at)
        seen = Process(process_id=process_id, last_seen=at)
        draft.fields(keys.process_info(process_id), _heard(seen))
        draft.sign_of_life(seen)
        yield ops.Commit({}, draft.writes())
    for number in sorted(map(int, held)) if renews else ():
        yield from _renew(number, process_id)
    return get_limits().process_ttl_ms


def get(process_id: str) -> Steps[Process]:
    """What is known of a process.

    Raises:
        UnknownProcess: nothing is.
    """
    check_name("process_id", process_id)
    (fields,) = yield from read(ops.WholeHash(keys.process_info(process_id)))
    if not fields:
        raise UnknownProcess(process_id=process_id)
    return codec.decode_process(process_id, fields)


def list_processes(limit: int = 1000) -> Steps[list[Process]]:
    """The active processes, those heard of last first."""
    entries = yield from scan_index(keys.PROCESSES, limit, newest_first=True)
    names = [name for name, _ in entries]
    hashes = yield from read(*(ops.WholeHash(keys.process_info(name)) for name in names))
    return [
        codec.decode_process(name, fields)
        for name, fields in zip(names, hashes, strict=True)
        if fields
    ]


class ProcessPage(msgspec.Struct, frozen=True):
    """One page of the active processes with what each holds, and the cursor of the next."""

    processes: list[tuple[Process, list[int]]]
    next: str | None
    count: int


def list_page(
    *, limit: int = 50, cursor: str = "", silent_first: bool = False
) -> Steps[ProcessPage]:
    """One page of the active processes: those heard of last first, or those silent longest.

    Raises:
        InvalidInput: the cursor is none.
    """
    entries = yield from scan_index(
        keys.PROCESSES, limit, newest_first=not silent_first, after=check_cursor(cursor)
    )
    (count,) = yield from read(ops.Count(keys.PROCESSES))
    found = yield from _with_held([name for name, _ in entries])
    last = entries[-1] if len(entries) == limit else None
    return ProcessPage(processes=found, next=make_cursor(*last) if last else None, count=count)


def list_zombies() -> Steps[list[tuple[Process, list[int]]]]:
    """The processes that are dead or silent for too long, with what each holds; marks nothing."""
    at = yield from now()
    silent = epoch_ms(at) - get_limits().process_ttl_ms
    entries = yield from scan_index(keys.PROCESSES, BATCH, high=silent)
    (marked,) = yield from read(ops.Members(keys.PROCESSES_ZOMBIES))
    names = sorted({*marked, *(name for name, _ in entries)})
    return (yield from _with_held(names))


def _with_held(names: list[str]) -> Steps[list[tuple[Process, list[int]]]]:
    hashes = yield from read(*(ops.WholeHash(keys.process_info(name)) for name in names))
    members = yield from read(*(ops.Members(keys.process_issues(name)) for name in names))
    return [
        (codec.decode_process(name, fields), sorted(map(int, held)))
        for name, fields, held in zip(names, hashes, members, strict=True)
    ]


def held_by(process_id: str) -> Steps[list[int]]:
    """The numbers of the issues that a process holds."""
    (held,) = yield from read(ops.Members(keys.process_issues(process_id)))
    return sorted(map(int, held))


def clean_up(
    process_id: str, *, final_status: str = "error", reason: str = "cleaned up"
) -> Steps[list[int]]:
    """End a process: what it held is checked in as ``error``; the numbers of those issues.

    Raises:
        UnknownProcess: nothing is known of it.
    """
    held = yield from held_by(process_id)
    try:
        process = yield from get(process_id)
    except UnknownProcess:
        if not held:
            raise
        process = Process(process_id=process_id)  # its record was deleted by hand
    given_back = []
    for number in held:
        if (yield from _give_back(number, process_id, reason)):
            given_back.append(number)
    at = yield from now()
    draft = Draft(get_limits(), at)
    draft.process(processes.end(process, final_status, at=at))
    event = ProcessEnded(at=at, process_id=process_id, final_status=final_status, reason=reason)
    draft.events([event])
    yield ops.Commit({}, draft.writes())
    return given_back


def find_zombies() -> Steps[list[str]]:
    """Mark the active processes that have been silent for too long; all that are marked."""
    at = yield from now()
    silent = epoch_ms(at) - get_limits().process_ttl_ms
    entries = yield from scan_index(keys.PROCESSES, BATCH, high=silent)
    for name, _ in entries:
        yield from _mark(name)
    (marked,) = yield from read(ops.Members(keys.PROCESSES_ZOMBIES))
    return sorted(marked)


def clean_zombies() -> Steps[dict[str, list[int]]]:
    """Clean up the processes that were found dead: what each of them held."""
    cleaned: dict[str, list[int]] = {}
    for name in (yield from find_zombies()):
        try:
            cleaned[name] = yield from clean_up(name, final_status="zombie", reason="silent")
        except UnknownProcess:
            yield ops.Commit({}, _forgotten(name))
    return cleaned


def _mark(name: str) -> Steps[None]:
    """Call a process a zombie, unless it shows life at this moment."""
    alive = ops.Key(keys.process_heartbeat(name))

    def decide(seen: Seen, at: datetime) -> Decision[None]:
        if seen[alive] is not None:
            return Decision(None)
        moves: tuple[ops.Write, ...] = (
            ops.SetAdd(keys.PROCESSES_ZOMBIES, (name,)),
            ops.SetRemove(keys.PROCESSES_ACTIVE, (name,)),
        )
        return Decision(None, moves)

    (raw,) = yield from read(alive)
    known: Seen = {alive: raw}
    yield from transact([alive], decide, known=known)


def _forgotten(name: str) -> tuple[ops.Write, ...]:
    return (
        ops.SetRemove(keys.PROCESSES_ZOMBIES, (name,)),
        ops.SetRemove(keys.PROCESSES_ACTIVE, (name,)),
        ops.SortedRemove(keys.PROCESSES, (name,)),
    )


def _heard(process: Process) -> dict[str, Any]:
    fields = codec.process_hash(process)
    return {name: fields[name] for name in ("lastSeen", "status")}


def _renew(number: int, process_id: str) -> Steps[None]:
    try:
        yield from checkouts.heartbeat(number, Claimant(process_id=process_id))
    except StateError:
        return  # it has lost this issue meanwhile, and will be told when it reports on it


def _give_back(number: int, process_id: str, reason: str) -> Steps[bool]:
    result = {"error": f"Process {process_id} ended: {reason}"}

    def decide(before: Issue | None, at: datetime) -> IssueChange:
        if before is None or not before.is_held or before.process_id != process_id:
            return IssueChange(issue=before)
        claimant = Claimant(process_id=process_id)
        return issues.check_in(before, number, IssueStatus.ERROR, result, claimant, at=at)

    try:
        change = yield from checkouts.change_issue(number, decide, result=result)
    except DamagedRecord:  # nobody holds what cannot be read; the others are given back
        return False
    return bool(change.events)
