"""Records as the API answers them: snake_case, nulls shown, and users' own data untouched."""

from __future__ import annotations

from typing import Any

import msgspec

from statecore import codec
from statecore.domain.entries import Changed, Entry
from statecore.domain.errors import DamagedRecord, InvalidInput
from statecore.domain.issues import Issue
from statecore.domain.labels import LabelRequest
from statecore.domain.locks import Lock
from statecore.domain.orphans import Orphan
from statecore.domain.processes import Process

Shape = dict[str, Any]


def issue_shape(issue: Issue) -> Shape:
    """An issue."""
    shape = msgspec.structs.asdict(issue)
    ttl_ms, token = shape.pop("ttl_ms"), shape.pop("token")
    own = {name: shape.pop(name) for name in ("number", "metadata", "result", "other")}
    return {
        "issue": own["number"], **{name: _plain(value) for name, value in shape.items()},
        "token": token or None, "ttl_s": ttl_ms and ttl_ms / 1000,
        "metadata": _kept(dict(own["metadata"])), "result": _kept(own["result"]),
        "other": _kept(dict(own["other"])),
    }  # fmt: skip


def orphan_shape(orphan: Orphan) -> Shape:
    """An orphan, as it was found."""
    one = orphan.issue
    return {
        "issue": one.number, "reason": orphan.reason, "process_id": one.process_id,
        "pid": one.pid, "host": one.host, "last_heartbeat": _plain(one.last_heartbeat),
    }  # fmt: skip


def process_shape(process: Process) -> Shape:
    """A process."""
    return {name: _plain(value) for name, value in msgspec.structs.asdict(process).items()}


def lock_shape(lock: Lock) -> Shape:
    """A lock."""
    shape = msgspec.structs.asdict(lock)
    ttl_s = shape.pop("ttl_ms") / 1000
    return {name: _plain(value) for name, value in shape.items()} | {"ttl_s": ttl_s}


def label_shape(request: LabelRequest) -> Shape:
    """A label request."""
    return {name: _plain(value) for name, value in msgspec.structs.asdict(request).items()}


def changed_shape(change: Changed) -> Shape:
    """A change of an entry."""
    return {
        "key": change.key, "old": _kept(change.old), "new": _kept(change.new),
        "version": change.version, "cursor": change.cursor, "at": _plain(change.at),
    }  # fmt: skip


def event_shape(cursor: str, raw: bytes) -> Shape:
    """An event of either side, or of a newer program, in its own words."""
    try:
        return {"cursor": cursor} | msgspec.json.decode(raw, type=dict[str, Any])
    except codec.UNREADABLE:  # written by hand
        return {"cursor": cursor, "name": "unreadable"}


def value_of(entry: Entry) -> msgspec.Raw:
    """The value of an entry in its own words.

    Raises:
        DamagedRecord: another program has put something there that is no JSON.
    """
    try:
        codec.decode_json(entry.raw)
    except InvalidInput as fault:
        place = f"{entry.namespace}/{entry.key}"
        raise DamagedRecord(f"{place}: {fault}", key=entry.key) from None
    return msgspec.Raw(entry.raw)


def _kept(value: Any) -> msgspec.Raw:
    """A user's own data; the renderer must not look into it."""
    return msgspec.Raw(codec.encode_json(value))


def _plain(value: Any) -> Any:
    return codec.iso(value) if hasattr(value, "astimezone") else value
