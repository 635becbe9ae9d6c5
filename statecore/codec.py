"""Records to JSON and hashes and back, in the shapes of CONTRACTS sections 1 and 3."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from statecore.domain.errors import DamagedRecord, InvalidInput
from statecore.domain.events import Event
from statecore.domain.issues import Issue
from statecore.domain.labels import LabelRequest
from statecore.domain.locks import Lock
from statecore.domain.processes import Process

R = TypeVar("R", bound=msgspec.Struct)

UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)
"""What reading JSON raises when it is none, is no text, or is nested too deep."""

_encoder = msgspec.json.Encoder()
_events: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_locks = msgspec.json.Decoder(Lock)
_labels = msgspec.json.Decoder(LabelRequest)

_NAMES = {
    "status": "status", "processId": "process_id", "pid": "pid", "startTime": "start_time",
    "lastHeartbeat": "last_heartbeat", "taskType": "task_type", "endTime": "end_time",
    "lastUpdated": "last_updated", "result": "result", "metadata": "metadata",
    "checkedOutBy": "checked_out_by", "host": "host", "token": "token", "ttlMs": "ttl_ms",
    "leaseUntil": "lease_until",
}  # fmt: skip
"""Names in the record of an issue, in their order there, and ours."""

_ALWAYS = frozenset({"status", "processId", "pid", "startTime", "lastHeartbeat", "taskType"})
"""What a record always says, be it null."""

_HASH_NAMES = {
    "status": "status", "processId": "process_id", "pid": "pid", "taskType": "task_type",
    "startTime": "start_time", "endTime": "end_time", "lastHeartbeat": "last_heartbeat",
    "lastUpdate": "last_updated", "checkedOutBy": "checked_out_by", "host": "host",
    "token": "token", "leaseUntil": "lease_until",
}  # fmt: skip
"""Fields of ``poppo:issue:status:{id}`` (CONTRACTS section 1), and ours."""

_PROCESS_NAMES = {
    "pid": "pid", "issueNumber": "issue_number", "status": "status", "taskType": "task_type",
    "lastSeen": "last_seen", "role": "role", "endTime": "end_time",
    "finalStatus": "final_status", "host": "host",
}  # fmt: skip
"""Fields of ``poppo:process:info:{id}`` (CONTRACTS section 1), and ours."""


# -- any JSON ---------------------------------------------------------------------


def encode_json(value: Any, field: str = "value") -> bytes:
    """A value as compact JSON; whole numbers of any size survive.

    Raises:
        InvalidInput: it cannot be JSON.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode()
    except (TypeError, ValueError, RecursionError) as fault:
        raise InvalidInput(field, f"cannot be JSON: {fault}") from None


def decode_json(raw: bytes | str, field: str = "value") -> Any:
    """The value of a JSON text.

    Raises:
        InvalidInput: it is not JSON, has a key twice, or a number that is none.
    """
    try:
        return json.loads(raw, object_pairs_hook=_each_once, parse_constant=_refuse)
    except (ValueError, RecursionError) as fault:
        raise InvalidInput(field, f"is not valid JSON: {fault}") from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands there twice")
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number of JSON")


# -- issues -------------------------------------------------------------------------


def issue_record(issue: Issue) -> dict[str, Any]:
    """The record of an issue as CONTRACTS section 3 has it; what is not known is left out."""
    record = {name: _plain(getattr(issue, ours)) for name, ours in _NAMES.items()}
    record["token"] = issue.token or None
    record["metadata"] = dict(issue.metadata)
    shown = {k: v for k, v in record.items() if v is not None or k in _ALWAYS}
    return {**shown, **{k: v for k, v in issue.other.items() if k not in _NAMES}}


def encode_issue(issue: Issue) -> bytes:
    """The value of an issue in ``poppo:state:issues``."""
    return encode_json(issue_record(issue))


def decode_issue(number: int, raw: bytes) -> Issue:
    """The issue in a value of ``poppo:state:issues``.

    Raises:
        DamagedRecord: it is none.
    """
    try:
        return issue_from(number, decode_json(raw))
    except InvalidInput as fault:
        raise DamagedRecord(f"The record of issue #{number}: {fault}", issue=number) from None


def issue_from(number: int, record: Any) -> Issue:
    """An issue from its record.

    Raises:
        InvalidInput: a field is not what it should be; names it.
    """
    if not isinstance(record, dict):
        raise InvalidInput("value", "the record of an issue must be an object")
    known = {ours: record[name] for name, ours in _NAMES.items() if record.get(name) is not None}
    other = {name: value for name, value in record.items() if name not in _NAMES}
    try:
        return msgspec.convert({**known, "number": number, "other": other}, Issue)
    except msgspec.ValidationError as fault:
        raise InvalidInput("value", f"is no record of an issue: {fault}") from None


def decode_record(number: int, raw: bytes) -> Issue:
    """The issue in a value that somebody hands in.

    Raises:
        InvalidInput: it is no record of one, or says ``processing`` and not by whom.
    """
    issue = issue_from(number, decode_json(raw))
    if issue.is_held and not issue.process_id:
        raise InvalidInput("value", "an issue in processing needs a processId")
    return issue


def issue_hash(issue: Issue) -> dict[str, bytes | None]:
    """The fields of ``poppo:issue:status:{id}``; ``None`` for those that are not there."""
    return {name: _text(getattr(issue, ours)) for name, ours in _HASH_NAMES.items()}


def metadata_hash(result: Any) -> dict[str, bytes]:
    """The fields of ``poppo:issue:metadata:{id}``: text as it is, everything else as JSON."""
    fields = result if isinstance(result, Mapping) else {"result": result}
    return {
        str(name): value.encode() if isinstance(value, str) else encode_json(value)
        for name, value in fields.items()
        if value is not None
    }


# -- processes, locks, label requests, events -----------------------------------------


def process_hash(process: Process) -> dict[str, bytes | None]:
    """The fields of ``poppo:process:info:{id}``; ``None`` for those that are not there."""
    return {name: _text(getattr(process, ours)) for name, ours in _PROCESS_NAMES.items()}


def decode_process(process_id: str, fields: Mapping[str, bytes]) -> Process:
    """The process in a hash; what cannot be read in it is left out."""
    known: dict[str, Any] = {"process_id": process_id}
    for name, ours in _PROCESS_NAMES.items():
        if name in fields and (text := fields[name].decode("utf-8", "replace")):
            known[ours] = text
    try:
        return msgspec.convert(known, Process, strict=False)
    except msgspec.ValidationError:
        kept = ("process_id", "role", "status", "task_type", "host")
        return msgspec.convert({k: v for k, v in known.items() if k in kept}, Process)


def encode_lock(lock: Lock) -> bytes:
    """The value of ``lock:{name}``."""
    return _encoder.encode(lock)


def decode_lock(name: str, raw: bytes) -> Lock:
    """The lock in a value of ``lock:{name}``.

    Raises:
        DamagedRecord: it is none.
    """
    return _decoded(_locks, raw, f"The lock {name}")


def encode_label(request: LabelRequest) -> bytes:
    """The value of ``poppo:label:{id}``."""
    return _encoder.encode(request)


def decode_label(request_id: str, raw: bytes) -> LabelRequest:
    """The label request in a value of ``poppo:label:{id}``.

    Raises:
        DamagedRecord: it is none.
    """
    return _decoded(_labels, raw, f"The label request {request_id}")


def encode_event(event: Event) -> bytes:
    """One entry of the events stream."""
    return _encoder.encode(event)


def decode_event(raw: bytes) -> Event | None:
    """The event in an entry of the stream; ``None`` for one of the orchard's or a newer one."""
    try:
        return _events.decode(raw)
    except UNREADABLE:
        return None


def iso(at: datetime) -> str:
    """A time as other programs write it: ``2025-06-23T15:13:59.243Z``."""
    text = at.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _decoded(decoder: msgspec.json.Decoder[R], raw: bytes, what: str) -> R:
    try:
        return decoder.decode(raw)
    except UNREADABLE as fault:
        raise DamagedRecord(f"{what}: {fault}") from None


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    return str(value) if isinstance(value, str) else value


def _text(value: Any) -> bytes | None:
    plain = _plain(value)
    return None if plain is None else str(plain).encode()
