"""What of the state side has passed its time and is still kept, and what is found dead."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from statecore import keys
from statecore.domain.errors import TransitionRefused
from statecore.domain.lifecycle import IssueStatus, LabelStatus
from statecore.repository import epoch_ms
from statecore.services.engine import get_limits
from statecore.services.orphans import detect
from statecore.store import ops
from statecore.store.steps import Decision, Seen, Steps, now, read, scan_index, transact

LOCKS, LABELS, PROCESSES = "locks", "labels", "processes"
PAGE = 500
LOOKED_AT = 2_000
"""Of more issues that are checked out, orphans are not counted: that would take too long."""

After = tuple[float, str] | None


class Page(NamedTuple):
    """Names of a pile, and where to go on; ``None`` after the last page."""

    names: list[str]
    after: After


class Dead(NamedTuple):
    """How much is found dead and waits to be repaired."""

    orphans: int | None
    """``None`` when that would take too long to find out."""
    processes: int
    labels: int
    """Label requests that were given up."""


def count() -> Steps[dict[str, int]]:
    """How many there are in each pile; what it costs does not depend on what else there is."""
    indexes = yield from _indexes()
    found = yield from read(*(ops.Count(key, high=high) for key, high in indexes.values()))
    marks = yield from _unknown_marks()
    return dict(zip(indexes, found, strict=True)) | {PROCESSES: len(marks)}


def count_dead() -> Steps[Dead]:
    """How many orphans, dead processes and label requests that were given up there are."""
    at = yield from now()
    silent = epoch_ms(at) - get_limits().process_ttl_ms
    entries = yield from scan_index(keys.PROCESSES, PAGE, high=silent)
    marked, labels, held = yield from read(
        ops.Members(keys.PROCESSES_ZOMBIES), ops.Count(keys.labels_in(LabelStatus.FAILED)),
        ops.Count(keys.issues_in(IssueStatus.PROCESSING)),
    )  # fmt: skip
    orphans = len((yield from detect())) if held <= LOOKED_AT else None
    dead = {*marked, *(name for name, _ in entries)}
    return Dead(orphans=orphans, processes=len(dead), labels=labels)


def page(name: str, after: After = None) -> Steps[Page]:
    """Some of a pile, those first that should have gone first."""
    if name == PROCESSES:
        return Page((yield from _unknown_marks()), None)
    key, high = (yield from _indexes())[name]
    entries = yield from scan_index(key, PAGE, high=high, after=after)
    last = (entries[-1][1], entries[-1][0]) if len(entries) == PAGE else None
    return Page([member for member, _ in entries], last)


def purge(pile: str, name: str) -> Steps[None]:
    """Let go of one thing of a pile.

    Raises:
        TransitionRefused: it is gone already, or its time is not over (any more).
    """
    index = {LOCKS: keys.LOCKS, LABELS: keys.labels_in(LabelStatus.SENT)}.get(pile)
    if index is None:
        done = yield from _forget_mark(name)
    else:
        record = keys.lock(name) if pile == LOCKS else keys.label(name)
        done = yield from _forget_entry(index, name, record)
    if not done:
        raise TransitionRefused("it is gone already, or its time is not over any more")


def _indexes() -> Steps[dict[str, tuple[str, float]]]:
    at_ms = epoch_ms((yield from now()))
    return {
        LOCKS: (keys.LOCKS, at_ms - 1000),
        LABELS: (keys.labels_in(LabelStatus.SENT), at_ms - keys.LABEL_TTL_MS),
    }


def _unknown_marks() -> Steps[list[str]]:
    """Processes that are marked as dead and of which nothing else is known."""
    (marked,) = yield from read(ops.Members(keys.PROCESSES_ZOMBIES))
    names = sorted(marked)
    sizes = yield from read(*(ops.Size(keys.process_info(name)) for name in names))
    held = yield from read(*(ops.Members(keys.process_issues(name)) for name in names))
    rows = zip(names, sizes, held, strict=True)
    return [name for name, size, issues in rows if not int(size) and not issues]


def _forget_entry(index: str, name: str, record: str) -> Steps[bool]:
    """Take a name out of an index, if there is no record of it."""
    (score,) = yield from read(ops.Score(index, name))
    if score is None:
        return False
    gone = (ops.SortedRemove(index, (name,)),)
    reply = yield ops.Commit({ops.Key(record): None}, gone)
    return isinstance(reply, ops.Committed)


def _forget_mark(name: str) -> Steps[bool]:
    """Take the mark from a process, if nothing is known of it."""
    info = ops.Size(keys.process_info(name))

    def decide(seen: Seen, at: datetime) -> Decision[bool]:
        if int(seen[info] or 0):
            return Decision(False)
        writes: tuple[ops.Write, ...] = (
            ops.SetRemove(keys.PROCESSES_ZOMBIES, (name,)),
            ops.SetRemove(keys.PROCESSES_ACTIVE, (name,)),
            ops.SortedRemove(keys.PROCESSES, (name,)),
        )
        return Decision(True, writes)

    marked = name in (yield from _unknown_marks())
    return marked and (yield from transact([info], decide))
