"""One walk of a step over all records: page by page, each record against what it held.

Whoever works with the engine meanwhile notices nothing: a record that was changed since it was
read is decided on again, and what is of the new version already is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from orchard.domain.errors import DamagedRecord
from orchard.upgrades.step import Change, Record, Step
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.errors import TooManyConflicts
from statecore.store.record_walk import walk_from
from statecore.store.walking import KeyFact, look_at, walk_members

PAGE = 200
TRIES = 50
EXAMPLES = 5

Name = tuple[str, str | None]
"""A key without its partition, and a field of a hash; a string has none."""
Tell = Callable[[str, int], None]
"""Told where the walk is (a cursor), and how many records were looked at since it was last told."""


class Tally(msgspec.Struct, kw_only=True):
    """What a step did, or would do."""

    version: int
    """The version that it leads to."""
    what: str
    looked_at: int = 0
    changed: int = 0
    left: int = 0
    """Records that are none: they stay as they are."""
    examples: list[str] = []
    """The first that it changed."""
    left_examples: list[str] = []


def walk(
    store: Store, step: Step, cursor: str, tally: Tally, tell: Tell, *, dry_run: bool = False
) -> None:
    """Look at all records of a step from a cursor on, and change what has to be.

    Raises:
        StoreUnavailable: the engine cannot be reached; what was done stays done.
        TooManyConflicts: a record changes under every try.
    """
    for facts, after in walk_from(store, cursor, step.concerns, PAGE):
        looked_at = tally.looked_at
        for names in _pages_of_records(store, facts):
            _change_page(store, step, names, tally, dry_run)
        tell(after, tally.looked_at - looked_at)


def _pages_of_records(store: Store, facts: Sequence[KeyFact]) -> Iterator[list[Name]]:
    yield [(fact.name, None) for fact in facts if fact.kind == "string"]
    for fact in facts:
        if fact.kind == "hash":
            for fields in walk_members(store, fact.name, "hash", PAGE):
                yield [(fact.name, field) for field in fields]


def _change_page(store: Store, step: Step, names: list[Name], tally: Tally, dry_run: bool) -> None:
    """Decide on a page, commit, and decide again on what was changed meanwhile."""
    records = [record for record in _read(store, names) if _change(step, record, tally)]
    if dry_run:
        return _count_changed(tally, records)
    left = _with_lifetimes(store, records)
    for _ in range(TRIES):
        if not left:
            return None
        changed, left = _commit(store, step, left)
        _count_changed(tally, changed)
    raise TooManyConflicts(f"{TRIES} conflicts on {left[0].place}")


def _read(store: Store, names: Sequence[Name]) -> list[Record]:
    records = [Record(key, field, b"", None) for key, field in names]
    values = store.read(*(record.cell for record in records)) if records else []
    return [
        record._replace(value=value)
        for record, value in zip(records, values, strict=True)
        if value is not None  # deleted meanwhile
    ]


def _change(step: Step, record: Record, tally: Tally) -> Change | None:
    tally.looked_at += 1
    try:
        return step.plan(record)
    except DamagedRecord as damaged:
        tally.left += 1
        if len(tally.left_examples) < EXAMPLES:
            tally.left_examples.append(f"{record.place}: {damaged}")
        return None


def _count_changed(tally: Tally, records: Sequence[Record]) -> None:
    tally.changed += len(records)
    room = EXAMPLES - len(tally.examples)
    tally.examples += [record.place for record in records[:room]]


def _with_lifetimes(store: Store, records: Sequence[Record]) -> list[Record]:
    """The records with how long strings still live, since each is written with its lifetime."""
    keys = [record.key for record in records if record.field is None]
    facts: list[KeyFact] = look_at(store, keys) if keys else []
    lifetimes = {fact.name: max(1, fact.ttl_ms) for fact in facts if fact.ttl_ms is not None}
    return [record._replace(ttl_ms=lifetimes.get(record.key)) for record in records]


def _commit(
    store: Store, step: Step, records: Sequence[Record]
) -> tuple[list[Record], list[Record]]:
    """Write what is to change: records that were changed, and those that another was faster with.

    The latter hold what is there now: one that others keep changing is tried again at once.
    """
    changes = [(record, change) for record in records if (change := _plan_again(step, record))]
    commits = [ops.Commit({record.cell: record.value}, change.writes) for record, change in changes]
    replies = store.perform_all(commits) if commits else []
    changed, left = list[Record](), list[Record]()
    for (record, _), reply in zip(changes, replies, strict=True):
        if not isinstance(reply, ops.Conflict):
            changed.append(record)
        elif (value := reply.current[record.cell]) is not None:  # deleted meanwhile
            left.append(record._replace(value=value))
    return changed, left


def _plan_again(step: Step, record: Record) -> Change | None:
    """What a record needs that was looked at before, and may hold something else now."""
    try:
        return step.plan(record)
    except DamagedRecord:
        return None  # the last walk counts it
