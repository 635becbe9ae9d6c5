"""Label requests: each in the list of its state, and queued or resting as long as it waits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from statecore import codec, keys
from statecore.domain.errors import DamagedRecord
from statecore.domain.labels import LabelRequest
from statecore.domain.lifecycle import LabelStatus
from statecore.repository import Draft, epoch_ms
from statecore.services.doctor.catalogue import LABEL
from statecore.services.doctor.snapshots import Fault, RecordExaminer
from statecore.services.engine import get_limits
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.walking import look_at

STATES = tuple(LabelStatus)


class LabelSeen(NamedTuple):
    """A label request and all that is said of it."""

    name: str
    raw: bytes | None
    request: LabelRequest | None
    queued: float | None
    leased: float | None
    in_states: Mapping[LabelStatus, float]
    in_line: float | None
    ttl_ms: int | None


class LabelExaminer(RecordExaminer[LabelSeen]):
    """Label requests with their queue."""

    kind = LABEL

    def read(self, store: Store, names: Sequence[str]) -> Iterator[LabelSeen]:
        """These requests."""
        return (_read(store, name) for name in names)

    def judge(self, seen: LabelSeen, at: datetime) -> Iterator[Fault]:
        """All that is wrong with a label request."""
        return judge(seen, at)

    def record(self, seen: LabelSeen) -> Mapping[ops.Cell, bytes | None]:
        """The request itself."""
        return {ops.Key(keys.label(seen.name)): seen.raw}

    def writes(self, store: Store, seen: LabelSeen) -> Sequence[ops.Write]:
        """Put it where its record says."""
        draft = Draft(get_limits(), store.now())
        _place(draft, seen)
        return draft.writes()


def judge(seen: LabelSeen, at: datetime) -> Iterator[Fault]:
    """All that is wrong with a label request."""
    if seen.raw is None:
        if _has_traces(seen, at):
            yield "label-gone", "There is no such request."
        return
    if seen.request is None:
        yield "label-unreadable", "The record is no label request."
        return
    waits = seen.request.status is LabelStatus.QUEUED
    places = (seen.queued is not None) + (seen.leased is not None)
    if waits and not places:
        yield "label-lost", f"It waits for issue #{seen.request.issue}."
    is_right = places <= 1 if waits else not places
    is_right &= [*seen.in_states] == [seen.request.status] and (seen.in_line is not None) == waits
    is_right &= (seen.ttl_ms is not None) == (seen.request.status is LabelStatus.SENT)
    if not is_right:
        yield "label-misplaced", f"It is {seen.request.status}, and something says otherwise."


def _has_traces(seen: LabelSeen, at: datetime) -> bool:
    old = epoch_ms(at) - keys.LABEL_TTL_MS
    has_expired = seen.in_states.get(LabelStatus.SENT, old + 1) <= old
    kept = seen.queued is not None or seen.leased is not None or seen.in_states
    return bool(kept) and not has_expired


def _place(draft: Draft, seen: LabelSeen) -> None:
    for status in STATES:
        draft.place(keys.labels_in(status), seen.name, None)
    if seen.request:
        draft.label(seen.request, seen.request)
    else:
        draft.place(keys.LABEL_QUEUE, seen.name, None)
        draft.place(keys.LABEL_LEASES, seen.name, None)


def _read(store: Store, name: str) -> LabelSeen:
    """The request."""
    place, lists = ops.Key(keys.label(name)), (keys.LABEL_QUEUE, keys.LABEL_LEASES)
    refs = [ops.Score(key, name) for key in (*lists, *map(keys.labels_in, STATES))]
    (raw,) = store.read(place)
    request = _decoded(name, raw)
    line = ops.Score(keys.label_line(request.issue if request else 0), name)
    raw, in_line, queued, leased, *scores = store.read(place, line, *refs)
    (fact,) = look_at(store, [keys.label(name)])
    states = {s: score for s, score in zip(STATES, scores, strict=True) if score is not None}
    again = _decoded(name, raw)
    return LabelSeen(name, raw, again, queued, leased, states, in_line, fact.ttl_ms)


def _decoded(name: str, raw: bytes | None) -> LabelRequest | None:
    try:
        return None if raw is None else codec.decode_label(name, raw)
    except DamagedRecord:
        return None
