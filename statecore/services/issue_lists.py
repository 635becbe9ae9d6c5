"""What pages, the API and the managers read of issues: lists, counts, histories."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from statecore import codec, keys
from statecore.domain import issues
from statecore.domain.entries import ISSUES
from statecore.domain.errors import DamagedRecord, InvalidInput
from statecore.domain.events import Event
from statecore.domain.issues import Issue
from statecore.domain.lifecycle import IssueStatus
from statecore.domain.orphans import IsAlive, Orphan
from statecore.repository import issue_cells, issue_number
from statecore.services import orphans
from statecore.store import ops
from statecore.store.cursors import make_cursor, parse_cursor
from statecore.store.errors import BadCursor
from statecore.store.steps import Steps, read, scan_index, tail

MAX_PAGE = 200


class IssuePage(msgspec.Struct, frozen=True):
    """One page of issues, those first whose state changed last, and the cursor of the next."""

    issues: list[Issue]
    next: str | None
    count: int
    damaged: tuple[int, ...] = ()
    """Numbers of those whose record cannot be read."""


class Statistics(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How many issues are in which state (CONTRACTS section 3)."""

    total: int
    pending: int
    processing: int
    completed: int
    error: int
    awaiting_response: int
    orphaned: int


def list_issues(
    *, status: IssueStatus | None = None, limit: int = 50, cursor: str = "",
    oldest_first: bool = False,
) -> Steps[IssuePage]:  # fmt: skip
    """One page of issues; an entry whose record was deleted by hand is dropped when met.

    Raises:
        InvalidInput: the limit or the cursor is none.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidInput("limit", f"must be from 1 to {MAX_PAGE}")
    index = keys.issues_in(status) if status else keys.ISSUES
    after = check_cursor(cursor)
    entries = yield from scan_index(index, limit, newest_first=not oldest_first, after=after)
    numbers = [int(member) for member, _ in entries]
    raws = yield from read(*(issue_cells(number)[0] for number in numbers))
    (count,) = yield from read(ops.Count(index))
    found, damaged = _readable(numbers, raws)
    gone = tuple(str(n) for n, raw in zip(numbers, raws, strict=True) if raw is None)
    if gone:
        yield from forget_places(gone)
    last = entries[-1] if len(entries) == limit else None
    return IssuePage(
        issues=found, next=make_cursor(*last) if last else None, count=count - len(gone),
        damaged=tuple(damaged),
    )  # fmt: skip


def _readable(numbers: list[int], raws: Sequence[bytes | None]) -> tuple[list[Issue], list[int]]:
    """The issues that can be read, and the numbers of those that cannot."""
    found, damaged = [], []
    for number, raw in zip(numbers, raws, strict=True):
        try:
            if raw is not None:
                found.append(codec.decode_issue(number, raw))
        except DamagedRecord:
            damaged.append(number)
    return found, damaged


def forget_places(members: tuple[str, ...]) -> Steps[None]:
    """Take issues out of all indexes and sets whose records somebody has deleted by hand."""
    for member in members:
        cell = issue_cells(int(member))[0]
        indexes = (keys.ISSUES, *map(keys.issues_in, IssueStatus))
        writes: list[ops.Write] = [ops.SortedRemove(index, (member,)) for index in indexes]
        writes += [
            ops.SetRemove(keys.ISSUES_PROCESSING, (member,)),
            ops.SetRemove(keys.ISSUES_PROCESSED, (member,)),
        ]
        yield ops.Commit({cell: None}, tuple(writes))


def all_issues() -> Steps[dict[int, Issue]]:
    """Every issue, by number."""
    (fields,) = yield from read(ops.WholeHash(keys.state(ISSUES)))
    found = (issue_number(ISSUES, key) for key in fields)
    numbers = sorted(number for number in found if number is not None)
    return {number: codec.decode_issue(number, fields[str(number)]) for number in numbers}


def processing() -> Steps[list[int]]:
    """The numbers of all issues that are checked out, in order."""
    held = yield from orphans.list_held()
    return [issue.number for issue in held]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How the issues stand: counts, those that are held by nobody alive, and by how many."""

    statistics: Statistics
    orphans: list[Orphan]
    holders: int
    """How many processes hold issues."""


def standing(*, alive: IsAlive = orphans.is_alive) -> Steps[Standing]:
    """How the issues stand; what it costs depends only on how many are checked out."""
    refs = [ops.Count(keys.ISSUES), *(ops.Count(keys.issues_in(one)) for one in IssueStatus)]
    total, *counts = yield from read(*refs)
    by_status = dict(zip(IssueStatus, counts, strict=True))
    held = yield from orphans.list_held()
    gone = yield from orphans.detect(alive=alive, held=held)
    found = Statistics(
        total=total, orphaned=len(gone),
        **{status.replace("-", "_"): count for status, count in by_status.items()},
    )  # fmt: skip
    holders = len({issue.process_id for issue in held})
    return Standing(statistics=found, orphans=gone, holders=holders)


def statistics(*, alive: IsAlive = orphans.is_alive) -> Steps[Statistics]:
    """How many issues are in which state; the cost does not depend on how many there are."""
    return (yield from standing(alive=alive)).statistics


def whole_history(number: int) -> Steps[list[Event]]:
    """All that is kept of what has happened to an issue, the latest first.

    Raises:
        InvalidInput: it is no number of an issue.
    """
    found: list[Event] = []
    cursor = ""
    while True:
        tailed = yield from history(number, cursor=cursor, limit=keys.HISTORY_MAX)
        # What a newer program has told, and this one has no word for, is left out.
        found += filter(None, (codec.decode_event(raw) for _, raw in tailed.entries))
        cursor = tailed.cursor
        if len(tailed.entries) < keys.HISTORY_MAX:
            return found[::-1]


def history(number: int, *, cursor: str = "", limit: int = 100) -> Steps[ops.Tailed]:
    """The events of one issue, oldest first, from a cursor on.

    Raises:
        InvalidInput: the number or the cursor is none.
    """
    number = issues.check_number(number)
    try:
        return (yield from tail(keys.issue_history(number), cursor, limit))
    except BadCursor:
        raise InvalidInput("cursor", "not a cursor of this history") from None


def status_named(name: str) -> IssueStatus:
    """A status by its name.

    Raises:
        InvalidInput: there is no such status.
    """
    return issues.check_status(name)


def check_cursor(cursor: str) -> tuple[float, str] | None:
    """Where a page begins.

    Raises:
        InvalidInput: it is no cursor.
    """
    try:
        return parse_cursor(cursor)
    except BadCursor:
        raise InvalidInput("cursor", "not a cursor of this list") from None
