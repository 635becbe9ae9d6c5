"""Issues: the record is the truth; plain hash, sets, lock and lists must follow from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from statecore import codec, keys
from statecore.domain.entries import ISSUES as ISSUES_NAMESPACE
from statecore.domain.errors import DamagedRecord
from statecore.domain.issues import Issue
from statecore.domain.lifecycle import PROCESSED, IssueStatus
from statecore.repository import Draft, epoch_ms, issue_cells, issue_number
from statecore.services.doctor.catalogue import ISSUE
from statecore.services.doctor.snapshots import Fault, RecordExaminer
from statecore.services.engine import get_limits
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.walking import contains

SLACK_MS = 5_000
AHEAD_MS = 60_000
STATES = tuple(IssueStatus)


class IssueSeen(NamedTuple):
    """An issue and all that is said of it."""

    number: int
    raw: bytes | None
    version: bytes | None
    issue: Issue | None
    plain: Mapping[str, bytes]
    lock: bytes | None
    listed: float | None
    in_states: Mapping[IssueStatus, float]
    is_processing: bool
    is_processed: bool
    is_with_holder: bool
    """Whether its process is said to hold it."""

    @property
    def name(self) -> str:
        """Its number."""
        return str(self.number)


class IssueExaminer(RecordExaminer[IssueSeen]):
    """Issues with everything that follows from their records."""

    kind = ISSUE

    def read(self, store: Store, names: Sequence[str]) -> list[IssueSeen]:
        """The issues of these numbers; what is no number is no issue."""
        return _read(store, names)

    def judge(self, seen: IssueSeen, at: datetime) -> Iterator[Fault]:
        """All that is wrong with an issue."""
        return judge(seen, at)

    def record(self, seen: IssueSeen) -> Mapping[ops.Cell, bytes | None]:
        """The issue's own record."""
        return {issue_cells(seen.number)[0]: seen.raw}

    def writes(self, store: Store, seen: IssueSeen) -> Sequence[ops.Write]:
        """What follows from the record."""
        draft = Draft(get_limits(), store.now())
        if seen.issue is None:
            _forget(draft, seen.number)
        else:
            _write(draft, seen, seen.issue, store.now())
        return draft.writes()


def judge(seen: IssueSeen, at: datetime) -> Iterator[Fault]:
    """All that is wrong with an issue."""
    if seen.raw is None:
        if _has_traces(seen):
            yield "issue-gone", "There is no record of it."
        return
    if seen.issue is None:
        yield "issue-unreadable", "The record is no issue."
        return
    if wrong := [*_strays(seen, seen.issue, at)]:
        yield "issue-misplaced", f"It is {seen.issue.status}; wrong: {', '.join(wrong)}."
    version = int(seen.version) if seen.version and seen.version.isdigit() else 0
    if version > epoch_ms(at) + AHEAD_MS:
        yield "version-ahead", "Its version is of a later time than now."


def _strays(seen: IssueSeen, issue: Issue, at: datetime) -> Iterator[str]:
    must = codec.issue_hash(issue)
    if any(seen.plain.get(name) != value for name, value in must.items()):
        yield "plain hash"
    if not _is_lock_right(seen, issue, at):
        yield "lock"
    if seen.is_processing != issue.is_held or seen.is_processed != (issue.status in PROCESSED):
        yield "sets"
    if seen.listed is None or [*seen.in_states] != [issue.status]:
        yield "lists"
    if issue.is_held and issue.process_id and not seen.is_with_holder:
        yield "what its process holds"


def _is_lock_right(seen: IssueSeen, issue: Issue, at: datetime) -> bool:
    if not issue.is_held or issue.lease_until is None:
        return seen.lock is None
    if seen.lock is None:
        return epoch_ms(issue.lease_until) < epoch_ms(at) + SLACK_MS
    return seen.lock == (issue.process_id or "").encode()


def _has_traces(seen: IssueSeen) -> bool:
    lists = seen.listed is not None or seen.in_states or seen.is_processing or seen.is_processed
    return bool(lists or seen.plain or seen.lock)


def _forget(draft: Draft, number: int) -> None:
    member = str(number)
    draft.delete(keys.issue_status(number), keys.issue_metadata(number), keys.issue_lock(number))
    for name in (keys.ISSUES_PROCESSING, keys.ISSUES_PROCESSED):
        draft.member(name, member, present=False)
    for name in (keys.ISSUES, *map(keys.issues_in, STATES)):
        draft.place(name, member, None)


def _write(draft: Draft, seen: IssueSeen, issue: Issue, at: datetime) -> None:
    member = str(issue.number)
    draft.fields(keys.issue_status(issue.number), codec.issue_hash(issue))
    lock = keys.issue_lock(issue.number)
    draft.delete(lock)
    if issue.is_held and issue.lease_until and issue.lease_until > at:
        ttl_ms = max(1, epoch_ms(issue.lease_until) - epoch_ms(at))
        draft.put(lock, (issue.process_id or "").encode(), ttl_ms)
    if issue.is_held and issue.process_id:
        draft.member(keys.process_issues(issue.process_id), member, present=True)
    draft.member(keys.ISSUES_PROCESSING, member, present=issue.is_held)
    draft.member(keys.ISSUES_PROCESSED, member, present=issue.status in PROCESSED)
    since = seen.listed or seen.in_states.get(issue.status) or epoch_ms(issue.last_updated or at)
    draft.place(keys.ISSUES, member, since)
    for status in STATES:
        here = status is issue.status
        draft.place(keys.issues_in(status), member, since if here else None)


def _read(store: Store, names: Sequence[str]) -> list[IssueSeen]:
    """The issues of these numbers; what is no number is no issue."""
    numbers = [n for name in names if (n := issue_number(ISSUES_NAMESPACE, name))]
    if not numbers:
        return []
    refs = [ref for number in numbers for ref in _refs(number)]
    values, step = store.read(*refs), len(refs) // len(numbers)
    members = list(map(str, numbers))
    processing = contains(store, keys.ISSUES_PROCESSING, members)
    processed = contains(store, keys.ISSUES_PROCESSED, members)
    found = []
    for at, number in enumerate(numbers):
        raw, version, plain, lock, listed, *scores = values[at * step : (at + 1) * step]
        states = {s: score for s, score in zip(STATES, scores, strict=True) if score is not None}
        issue = _decoded(number, raw)
        holder = issue.process_id if issue and issue.is_held else None
        is_with = _is_with(store, holder, number)
        found.append(IssueSeen(
            number, raw, version, issue, plain, lock, listed, states, processing[at],
            processed[at], is_with,
        ))  # fmt: skip
    return found


def _is_with(store: Store, holder: str | None, number: int) -> bool:
    return bool(holder and contains(store, keys.process_issues(holder), [str(number)])[0])


def _refs(number: int) -> list[ops.Ref]:
    lists = (keys.ISSUES, *map(keys.issues_in, STATES))
    return [
        *issue_cells(number),
        ops.WholeHash(keys.issue_status(number)),
        ops.Key(keys.issue_lock(number)),
        *(ops.Score(index, str(number)) for index in lists),
    ]


def _decoded(number: int, raw: bytes | None) -> Issue | None:
    try:
        return None if raw is None else codec.decode_issue(number, raw)
    except DamagedRecord:
        return None
