"""Things of the state side that can be cleaned: issues, processes, locks, entries, labels."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from orchard.cleaning.thing import Filters, Thing
from orchard.services import queries, run
from statecore.domain.processes import Process
from statecore.services import (
    editing,
    issue_lists,
    labels,
    locks,
    migration_flag,
    namespaced,
    orphans,
    processes,
)
from statecore.services.engine import get_limits

ZOMBIE = "zombie"
"""The state of a process that is found dead."""


def find_issues(filters: Filters) -> Iterator[Thing]:
    """Issues by state."""
    cursor: str | None = ""
    status = filters.get("issue_status", "")
    while cursor is not None:
        page = run(issue_lists.list_issues(status=_status(status), limit=200, cursor=cursor))
        cursor = page.next
        for issue in page.issues:
            shown = f"#{issue.number} · {issue.process_id or '–'}"
            mark = str(issue.token) if issue.is_held else ""
            yield Thing(str(issue.number), str(issue.status), shown, mark)


def find_orphans(filters: Filters) -> Iterator[Thing]:
    """Issues whose process is gone."""
    for orphan in run(orphans.detect()):
        issue = orphan.issue
        shown = f"#{issue.number} · {issue.process_id} · {orphan.reason}"
        yield Thing(str(issue.number), "orphaned", shown, str(issue.token))


def find_processes(filters: Filters) -> Iterator[Thing]:
    """Processes with what they hold, those silent longest first; or only those found dead."""
    marked = {process.process_id: held for process, held in run(processes.list_zombies())}
    for name, held in marked.items():
        yield Thing(name, ZOMBIE, _holding(name, held))
    for process, held in _all_processes():
        is_dead = is_silent(process)
        if filters.get("zombies") == "1" and not is_dead:
            return
        if process.process_id not in marked:
            state = ZOMBIE if is_dead else process.status
            yield Thing(process.process_id, state, _holding(process.process_id, held))


def is_silent(process: Process) -> bool:
    """Whether nothing has been heard of a process for so long that it counts as dead."""
    ttl = timedelta(milliseconds=get_limits().process_ttl_ms)
    return process.last_seen is None or run(queries.clock()) - process.last_seen >= ttl


def find_locks(filters: Filters) -> Iterator[Thing]:
    """Locks that are held, by a part of their name."""
    part = filters.get("q", "").casefold()
    for lock in run(locks.list_locks(100_000)):
        if part in lock.name.casefold():
            yield Thing(lock.name, "held", f"{lock.name} · {lock.owner}", str(lock.token))


def find_entries(filters: Filters) -> Iterator[Thing]:
    """Entries of one namespace, by a part of their key."""
    namespace, part = filters.get("namespace", ""), filters.get("q", "").casefold()
    if namespace:
        for key, entry in sorted(run(namespaced.get_all(namespace)).items()):
            if part in key.casefold():
                shown = f"{namespace}/{key} · {entry.raw[:80].decode('utf-8', 'replace')}"
                version, mark = f"v{entry.version}", editing.mark_of(entry)
                yield Thing(f"{namespace}/{key}", version, shown, mark)


def find_labels(filters: Filters) -> Iterator[Thing]:
    """Label requests that were given up."""
    cursor: str | None = ""
    while cursor is not None:
        page = run(labels.list_requests(labels.FAILED, limit=200, cursor=cursor))
        cursor = page.next
        for request in page.requests:
            error = request.errors[-1] if request.errors else ""
            shown = f"#{request.issue} · {error[:80]}"
            yield Thing(request.request_id, str(request.status), shown)


def find_flag(filters: Filters) -> Iterator[Thing]:
    """The flag that says that an older system's files were taken over, if it stands."""
    flag = run(namespaced.get(migration_flag.CONFIG, migration_flag.FLAG))
    if flag is not None:
        name = f"{migration_flag.CONFIG}/{migration_flag.FLAG}"
        shown = f"{name} · {flag.raw[:120].decode('utf-8', 'replace')}"
        yield Thing(name, "set", shown, editing.mark_of(flag))


def _all_processes() -> Iterator[tuple[Process, list[int]]]:
    cursor: str | None = ""
    while cursor is not None:
        page = run(processes.list_page(limit=200, cursor=cursor, silent_first=True))
        cursor = page.next
        yield from page.processes


def _status(name: str) -> Any:
    return issue_lists.status_named(name) if name else None


def _holding(name: str, held: list[int]) -> str:
    return " · ".join(filter(None, (name, " ".join(f"#{number}" for number in held[:20]))))
