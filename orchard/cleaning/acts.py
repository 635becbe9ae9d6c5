"""What actions by hand do to one thing, if it still is what was shown; and what it was before."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from orchard.cleaning import expired
from orchard.cleaning.state_things import ZOMBIE, is_silent
from orchard.cleaning.thing import Thing
from orchard.domain.errors import OrchardError
from orchard.domain.workers import Worker
from orchard.services import fleet, letters, queries, reports, run, submissions
from statecore.domain.errors import NotCheckedOut, UnknownProcess
from statecore.domain.issues import Claimant, Issue
from statecore.services import (
    checkouts,
    editing,
    issue_lists,
    labels,
    locks,
    migration_flag,
    namespaced,
    orphans,
    processes,
)
from statecore.wording import comment_on

BY_HAND = "by hand"
AUDITED_CHARS = 2_000
"""Of a larger value, the audit log keeps the beginning."""


class Did(NamedTuple):
    """What a thing was before an action, and what it is after it."""

    before: Any
    after: Any = ""


class Changed(OrchardError):
    """It has become something else since it was shown; nothing was changed."""

    code = "changed"


def to_job(service: Callable[[str], Any]) -> Callable[[Thing], Did]:
    """An action that leads a job to a state."""

    def act(thing: Thing) -> Did:
        return Did(thing.state, str(run(service(thing.name)).status))

    return act


def delete_job(thing: Thing) -> Did:
    """Delete a job, but not one that has ended, or begun anew, since it was shown."""
    job = run(submissions.get_record(thing.name))
    if job.has_ended != (thing.state in ENDED_NAMES):
        raise Changed(status=str(job.status))
    run(submissions.remove(thing.name))
    return Did({"status": str(job.status), "file": job.filename, "owner": job.owner})


def requeue_chunk(thing: Thing) -> Did:
    """Queue a chunk again: one that a worker has, or a dead letter of a running job."""
    again = letters.revive if thing.state == "failed" else reports.requeue
    return Did(thing.state, str(run(again(thing.name, BY_HAND)).status))


def fail_chunk(thing: Thing) -> Did:
    """Give a chunk up."""
    return Did(thing.state, str(run(reports.bury(thing.name, BY_HAND)).status))


def pin_job(pinned: bool) -> Callable[[Thing], Did]:
    """An action that keeps an ended job, or lets it expire again."""

    def act(thing: Thing) -> Did:
        if run(submissions.get_record(thing.name)).pinned == pinned:
            raise Changed
        run(submissions.pin(thing.name, pinned))
        return Did({"pinned": not pinned}, {"pinned": pinned})

    return act


def direct_worker(service: Callable[[str], Any], wanted: str) -> Callable[[Thing], Did]:
    """An action that lets a worker be ``draining``, ``paused`` or, for "", at work."""

    def act(thing: Thing) -> Did:
        before = _directed(run(queries.get_worker(thing.name)))
        if wanted in before or (not wanted and not before):
            raise Changed(status=" ".join(before))
        return Did(before, _directed(run(service(thing.name))))

    return act


def remove_worker(thing: Thing) -> Did:
    """Take a worker from the fleet, but not one that was silent when shown and is not now."""
    worker = run(queries.get_worker(thing.name))
    if thing.state == "offline" and worker.status != "offline":
        raise Changed(status=str(worker.status))
    run(fleet.remove(thing.name, "removed"))
    return Did({"status": str(worker.status), "held": list(worker.pending_chunks)})


def release_issue(thing: Thing) -> Did:
    """Take an issue from the process that was shown to hold it."""
    number = int(thing.name)
    before = run(checkouts.get(number))
    if not before.is_held:
        raise NotCheckedOut(issue=number)
    claimant = Claimant(token=int(thing.mark) if thing.mark else None)
    pending = issue_lists.status_named("pending")
    after = run(checkouts.check_in(number, pending, {"by": BY_HAND}, claimant))
    return Did(_issue(before), _issue(after))


def reset_issue(thing: Thing) -> Did:
    """Forget an issue that is still in the state that was shown."""
    before = run(checkouts.get(int(thing.name)))
    if str(before.status) != thing.state:
        raise Changed(status=str(before.status))
    return Did(_issue(run(checkouts.reset(int(thing.name)))))


def repair_issue(thing: Thing) -> Did:
    """Check an orphan in, if it still is one."""
    after = run(orphans.repair_number(int(thing.name), comment_on))
    return Did({"status": thing.state, "token": thing.mark}, _issue(after))


def clean_process(thing: Thing) -> Did:
    """End a process, but not one that was found dead and is alive again."""
    with suppress(UnknownProcess):
        before = run(processes.get(thing.name))
        if before.status not in ("active", ZOMBIE):
            raise Changed(status=before.status)
        if thing.state == ZOMBIE and not is_silent(before):
            raise Changed(status=before.status)
    given_back = run(processes.clean_up(thing.name, reason=BY_HAND))
    return Did(thing.state, {"status": "ended", "given_back": given_back})


def release_lock(thing: Thing) -> Did:
    """Free a lock, if the owner that was shown still holds it."""
    lock = run(locks.force_release(thing.name, int(thing.mark) if thing.mark else None))
    return Did({"owner": lock.owner, "token": lock.token}, "free")


def retry_label(thing: Thing) -> Did:
    """Deliver a label request again that was given up."""
    before = run(labels.get(thing.name))
    if str(before.status) != thing.state:
        raise Changed(status=str(before.status))
    return Did(thing.state, str(run(labels.retry(thing.name)).status))


def delete_entry(thing: Thing) -> Did:
    """Delete an entry that is still what was shown."""
    namespace, _, key = thing.name.partition("/")
    before = run(namespaced.require(namespace, key))
    run(editing.remove(namespace, key, mark=thing.mark))
    text = before.raw.decode("utf-8", "replace")[:AUDITED_CHARS]
    return Did({"version": before.version, "value": text})


def reset_migration(thing: Thing) -> Did:
    """Take the flag away that is still what was shown."""
    before = run(namespaced.require(migration_flag.CONFIG, migration_flag.FLAG))
    if editing.mark_of(before) != thing.mark or not run(migration_flag.reset()):
        raise Changed
    return Did({"value": before.raw.decode("utf-8", "replace")[:AUDITED_CHARS]})


def purge(thing: Thing) -> Did:
    """Let go of what has passed its time."""
    expired.purge(thing.name)
    return Did(thing.state)


ENDED_NAMES = frozenset({"completed", "failed", "cancelled"})


def _directed(worker: Worker) -> list[str]:
    return [name for name in ("draining", "paused") if getattr(worker, name)]


def _issue(issue: Issue) -> dict[str, Any]:
    return {"status": str(issue.status), "process": issue.process_id, "token": issue.token}
