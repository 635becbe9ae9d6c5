"""What is written when an issue or an entry changes: record, mirrors, events, label request."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from statecore import codec
from statecore.domain import entries, labels
from statecore.domain.entries import ISSUES, Entry, Put, next_version
from statecore.domain.errors import DamagedRecord
from statecore.domain.events import Event, IssueReset, IssueUpdated
from statecore.domain.issues import Issue, IssueChange
from statecore.domain.labels import LabelRequest, label_difference
from statecore.repository import Draft, find_entry, find_issue, issue_number, last_version
from statecore.services.engine import get_limits
from statecore.store.steps import Seen

REQUESTED_BY = "statecore"
"""Who asks for label updates, when nobody says otherwise."""


class Moved(NamedTuple):
    """An entry before and after a step."""

    before: Entry | None
    after: Entry | None


def draft_issue(
    seen: Seen, before: Issue | None, change: IssueChange, at: datetime, new_id: str
) -> Draft:
    """Everything that is written when an issue changes."""
    draft = Draft(get_limits(), at)
    draft.issue(before, change.issue, seen, new_id)
    one = change.issue or before
    if one is not None:
        draft.issue_events(one.number, change.events)
        draft_labels(draft, before, change.issue, seen, at)
    return draft


def draft_labels(
    draft: Draft, before: Issue | None, after: Issue | None, seen: Seen, at: datetime
) -> None:
    """Ask for the labels of the new state, when it is another."""
    one = after or before
    was, now = before.status if before else None, after.status if after else None
    add, remove = label_difference(was, now)
    if one is None or not (add or remove):
        return
    holder = (after.process_id if after else None) or (before.process_id if before else None)
    request = LabelRequest(
        request_id=_request_id(seen, one.number, at), issue=one.number, requested_at=at, add=add,
        remove=remove, requested_by=REQUESTED_BY, process_id=holder,
    )  # fmt: skip
    draft_request(draft, request)


def draft_comment(draft: Draft, number: int, text: str, seen: Seen, at: datetime) -> None:
    """Ask for a comment on an issue."""
    request = LabelRequest(
        request_id=f"{_request_id(seen, number, at)}-comment", issue=number, requested_at=at,
        comment=text, requested_by=REQUESTED_BY,
    )  # fmt: skip
    draft_request(draft, request)


def draft_request(draft: Draft, request: LabelRequest) -> None:
    """Queue a label request."""
    change = labels.queued(request)
    draft.label(None, change.request)
    draft.events(change.events)


def draft_entry(
    draft: Draft, put: Put, seen: Seen, new_id: str, at: datetime, *, as_recorded: bool = False
) -> Moved:
    """Set or delete an entry; one that describes an issue changes the issue with it.

    ``as_recorded``: the entry comes from a file that tells what was. An issue's
    record is taken word for word, holder and token included, and no labels are
    asked for: its state is no change of state.

    Raises:
        VersionConflict: the entry is not what it was expected to be.
        InvalidInput: it describes an issue, and the value is no record of one.
    """
    before = find_entry(seen, put.namespace, put.key)
    entries.check_condition(put, before)
    number = issue_number(put.namespace, put.key)
    if number is not None:
        draft_one = _draft_recorded if as_recorded else _draft_issue_entry
        return Moved(before, draft_one(draft, number, put, seen, new_id, at))
    last, after = last_version(seen, put.namespace, put.key), None
    if put.raw is not None:
        version = next_version(last, at)
        after = Entry(namespace=put.namespace, key=put.key, raw=put.raw, version=version)
    if before or after:
        draft.entry(before, after, last, new_id)
    return Moved(before, after)


def _draft_issue_entry(
    draft: Draft, number: int, put: Put, seen: Seen, new_id: str, at: datetime
) -> Entry | None:
    before = _readable_issue(seen, number)
    after = _issue_of(number, put, before, seen, at)
    if before or after:
        raw = put.raw if after and not after.is_held else None
        entry = draft.issue(before, after, seen, new_id, raw)
        told = [_told(number, after, at)]
        draft.issue_events(number, told)
        draft_labels(draft, before, after, seen, at)
        return entry
    return None


def _draft_recorded(
    draft: Draft, number: int, put: Put, seen: Seen, new_id: str, at: datetime
) -> Entry | None:
    before = _readable_issue(seen, number)
    issue = None if put.raw is None else codec.decode_record(number, put.raw)
    since = issue.last_updated or issue.end_time or issue.start_time if issue else None
    entry = draft.issue(before, issue, seen, new_id, put.raw, since)
    if issue:
        draft.issue_result(number, issue.result)
    if before:
        draft.issue_events(number, [_told(number, issue, at)])
    elif issue:  # its history began elsewhere
        draft.events([_told(number, issue, at)])
    return entry


def _readable_issue(seen: Seen, number: int) -> Issue | None:
    """The issue as it stands; ``None`` also for a damaged one, which is about to be put right."""
    try:
        return find_issue(seen, number)
    except DamagedRecord:
        return None


def _issue_of(
    number: int, put: Put, before: Issue | None, seen: Seen, at: datetime
) -> Issue | None:
    """The issue that a value describes; a new holder gets a token of its own."""
    if put.raw is None:
        return None
    issue = codec.decode_record(number, put.raw)
    if not issue.is_held:
        return issue
    is_same = before and before.is_held and before.process_id == issue.process_id
    lease = timedelta(milliseconds=issue.ttl_ms or get_limits().issue_lease_ms)
    return msgspec.structs.replace(
        issue,
        token=before.token if is_same and before else next_token(seen, number, at),
        lease_until=issue.lease_until or at + lease,
        last_heartbeat=issue.last_heartbeat or at,
        checked_out_by=issue.process_id,
    )


def _request_id(seen: Seen, number: int, at: datetime) -> str:
    """A name for what is asked for by this change; those of one issue sort by its changes."""
    return f"{next_token(seen, number, at)}-{number}"


def next_token(seen: Seen, number: int, at: datetime) -> int:
    """The fencing token of a new holder: the version that its record gets."""
    return next_version(last_version(seen, ISSUES, str(number)), at)


def _told(number: int, after: Issue | None, at: datetime) -> Event:
    if after is None:
        return IssueReset(at=at, issue=number)
    return IssueUpdated(at=at, issue=number, status=after.status)
