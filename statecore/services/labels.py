"""Label requests on their way: taken under a lease, delivered, tried again, or given up."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

import msgspec

from statecore import codec, keys
from statecore.domain import labels
from statecore.domain.errors import DamagedRecord, InvalidInput, StateError, UnknownLabelRequest
from statecore.domain.labels import LabelChange, LabelRequest
from statecore.domain.lifecycle import LabelStatus
from statecore.repository import Draft, epoch_ms
from statecore.services.engine import get_limits
from statecore.services.issue_lists import MAX_PAGE, check_cursor
from statecore.store import ops
from statecore.store.cursors import make_cursor
from statecore.store.steps import Decision, Seen, Steps, now, read, scan_index, take, transact

TURN_MS = 1_000
"""When to look again whether it is a request's turn."""


FAILED = LabelStatus.FAILED
"""The state of requests that were given up."""


class LabelPage(msgspec.Struct, frozen=True):
    """One page of label requests, the newest first, and the cursor of the next."""

    requests: list[LabelRequest]
    next: str | None
    count: int


def claim(count: int = 10) -> Steps[list[LabelRequest]]:
    """Requests that are due, under a lease: nobody else delivers them meanwhile.

    Those of one issue are in the order of its changes; while an earlier one
    rests or is with somebody else, the later ones wait.
    """
    lease_ms = get_limits().delivery_lease_ms
    names = yield from take(keys.LABEL_QUEUE, keys.LABEL_LEASES, count, lease_ms)
    raws = yield from read(*(ops.Key(keys.label(name)) for name in names))
    found = []
    for name, raw in zip(names, raws, strict=True):
        request = None if raw is None else _readable(name, raw)
        if request and request.status is LabelStatus.QUEUED:
            found.append(request)
        else:  # deleted or damaged by hand, or delivered by somebody whose lease had run out
            yield ops.Commit({}, (ops.SortedRemove(keys.LABEL_LEASES, (name,)),))
    found.sort(key=lambda one: (one.requested_at, one.request_id))
    return (yield from _in_line(found))


def _in_line(claimed: list[LabelRequest]) -> Steps[list[LabelRequest]]:
    """Those whose turn it is; the others are handed back."""
    lines: dict[int, list[str]] = {}
    for number in {one.issue for one in claimed}:
        entries = yield from scan_index(keys.label_line(number), len(claimed))
        lines[number] = [name for name, _ in entries]
    kept = []
    for one in claimed:
        line = lines[one.issue]
        if line[:1] in ([], [one.request_id]):
            kept.append(one)
            lines[one.issue] = line[1:]
        else:
            yield from hand_back(one.request_id)
    return kept


def hand_back(request_id: str) -> Steps[None]:
    """Let a request that was claimed wait for its turn; it counts no attempt."""
    yield ops.Commit({}, (ops.SortedAddFromNow(keys.LABEL_LEASES, {request_id: TURN_MS}),))


def mark_sent(request_id: str) -> Steps[LabelRequest]:
    """Note that a request was delivered.

    Raises:
        UnknownLabelRequest: it is not there any more.
        TransitionRefused: it was noted before.
    """
    return (yield from _change(request_id, lambda one, at: labels.mark_sent(one, at=at)))


def mark_failed(
    request_id: str, error: str, *, final: bool = False, retry_after_s: float | None = None
) -> Steps[LabelRequest]:
    """Note that a delivery failed: it is tried again later, or given up.

    Raises:
        UnknownLabelRequest: it is not there any more.
        TransitionRefused: it was delivered, or given up, by somebody else.
    """
    policy = get_limits().delivery

    def decide(one: LabelRequest, at: datetime) -> LabelChange:
        return labels.mark_failed(
            one, error, policy, final=final, retry_after_s=retry_after_s, at=at
        )

    return (yield from _change(request_id, decide))


def retry(request_id: str) -> Steps[LabelRequest]:
    """Try a request again, now.

    Raises:
        UnknownLabelRequest: there is none of this id.
        TransitionRefused: it was delivered.
    """
    return (yield from _change(request_id, lambda one, at: labels.retry(one, at=at)))


def withdraw(number: int) -> Steps[int]:
    """Forget the requests of an issue that were not delivered yet; how many."""
    line = keys.label_line(number)
    entries = yield from scan_index(line, 500)
    for name, _ in entries:
        indexes = (keys.LABEL_QUEUE, keys.LABEL_LEASES, line, keys.labels_in(LabelStatus.QUEUED))
        gone = tuple(ops.SortedRemove(index, (name,)) for index in indexes)
        yield ops.Commit({}, (ops.Delete((keys.label(name),)), *gone))
    return len(entries)


def get(request_id: str) -> Steps[LabelRequest]:
    """A label request.

    Raises:
        UnknownLabelRequest: there is none of this id.
    """
    (raw,) = yield from read(ops.Key(keys.label(request_id)))
    if raw is None:
        raise UnknownLabelRequest(request_id=request_id)
    return codec.decode_label(request_id, raw)


def list_requests(status: LabelStatus, *, limit: int = 50, cursor: str = "") -> Steps[LabelPage]:
    """One page of the requests in a state, the newest first.

    Raises:
        InvalidInput: the limit or the cursor is none.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidInput("limit", f"must be from 1 to {MAX_PAGE}")
    index = keys.labels_in(status)
    entries = yield from scan_index(index, limit, newest_first=True, after=check_cursor(cursor))
    found = yield from _find([name for name, _ in entries])
    (count,) = yield from read(ops.Count(index))
    last = entries[-1] if len(entries) == limit else None
    return LabelPage(requests=found, next=make_cursor(*last) if last else None, count=count)


def of_issue(number: int) -> Steps[list[LabelRequest]]:
    """The requests of an issue, the latest first: all that wait, and those of the others
    that are among the last ``MAX_PAGE`` of their state."""
    mine = re.compile(rf"\d+-{number}(-comment)?")
    waiting = yield from scan_index(keys.label_line(number), MAX_PAGE, newest_first=True)
    names = {name for name, _ in waiting}
    for status in (LabelStatus.SENT, LabelStatus.FAILED):
        entries = yield from scan_index(keys.labels_in(status), MAX_PAGE, newest_first=True)
        names |= {name for name, _ in entries if mine.fullmatch(name)}
    found = yield from _find(sorted(names))
    return sorted(found, key=lambda one: (one.requested_at, one.request_id), reverse=True)


def retry_failed(most: int = 1000) -> Steps[int]:
    """Try those again that were given up, at most so many; how many will be."""
    entries = yield from scan_index(keys.labels_in(LabelStatus.FAILED), most)
    tried = 0
    for name, _ in entries:
        try:
            yield from retry(name)
            tried += 1
        except StateError:
            continue  # gone, damaged, or retried by somebody else meanwhile
    return tried


def count_by_status() -> Steps[dict[LabelStatus, int]]:
    """How many requests are in which state."""
    counts = yield from read(*(ops.Count(keys.labels_in(status)) for status in LabelStatus))
    return dict(zip(LabelStatus, counts, strict=True))


def forget_old() -> Steps[int]:
    """Drop from the index what was delivered so long ago that its record has expired."""
    at = yield from now()
    index, old = keys.labels_in(LabelStatus.SENT), epoch_ms(at) - keys.LABEL_TTL_MS
    entries = yield from scan_index(index, 500, high=old)
    names = [name for name, _ in entries]
    raws = yield from read(*(ops.Key(keys.label(name)) for name in names))
    gone = tuple(name for name, raw in zip(names, raws, strict=True) if raw is None)
    if gone:
        yield ops.Commit({}, (ops.SortedRemove(index, gone),))
    return len(gone)


def _find(names: list[str]) -> Steps[list[LabelRequest]]:
    """Those of these requests that are there and can be read."""
    raws = yield from read(*(ops.Key(keys.label(name)) for name in names))
    found = (_readable(n, raw) for n, raw in zip(names, raws, strict=True) if raw is not None)
    return [one for one in found if one]


def _readable(name: str, raw: bytes) -> LabelRequest | None:
    """A request; what cannot be read must not hold up those behind it."""
    try:
        return codec.decode_label(name, raw)
    except DamagedRecord:
        return None


def _change(
    request_id: str, change: Callable[[LabelRequest, datetime], LabelChange]
) -> Steps[LabelRequest]:
    place = ops.Key(keys.label(request_id))

    def decide(seen: Seen, at: datetime) -> Decision[LabelRequest]:
        raw = seen[place]
        if raw is None:
            raise UnknownLabelRequest(request_id=request_id)
        before = codec.decode_label(request_id, raw)
        changed = change(before, at)
        draft = Draft(get_limits(), at)
        draft.label(before, changed.request)
        draft.events(changed.events)
        return Decision(changed.request, draft.writes())

    return (yield from transact([place], decide))
