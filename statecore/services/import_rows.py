"""The rows of an export: whether each will do, and bringing in those that are no entries."""

from __future__ import annotations

from typing import Any

import msgspec

from statecore import codec, keys
from statecore.domain.errors import InvalidInput
from statecore.domain.issues import check_number
from statecore.domain.labels import LabelRequest
from statecore.domain.names import check_key
from statecore.domain.processes import ACTIVE, Process
from statecore.ports.export_format import HISTORY, Row
from statecore.repository import Draft
from statecore.services import recorded
from statecore.services.engine import get_limits
from statecore.store import ops
from statecore.store.checks import encode
from statecore.store.steps import Steps, now, tail


def check_row(row: Row) -> None:
    """Look at one row.

    Raises:
        StateError: it will not do; says why.
        UnicodeError: a name in it has half a character.
    """
    match row.section:
        case "namespaces":
            recorded.check(row.namespace, row.name, row.raw)
        case "processes":
            check_key("process", row.name)
            _fields(row.raw)
        case "labelRequests":
            _label(row)
        case "issueMetadata":
            check_number(row.name)
            _fields(row.raw)
        case "issueHistory":
            check_number(row.name)
            _events(row.raw)
        case _:
            codec.decode_json(row.raw)


def add_row(row: Row) -> Steps[bool]:
    """Bring one thing back that is no entry; false when it is there already."""
    if row.section == HISTORY:
        return (yield from _add_history(int(row.name), _events(row.raw)))
    at = yield from now()
    draft = Draft(get_limits(), at)
    match row.section:
        case "processes":
            place: ops.Cell = ops.Size(keys.process_info(row.name))
            _draft_process(draft, row.name, _fields(row.raw))
        case "labelRequests":
            place = ops.Key(keys.label(row.name))
            draft.label(None, _label(row))
        case _:
            metadata = keys.issue_metadata(int(row.name))
            yield ops.Commit({}, (ops.Delete((metadata,)), *_hash(metadata, row)))
            return True
    absent = b"0" if isinstance(place, ops.Size) else None
    reply = yield ops.Commit({place: absent}, draft.writes())
    return isinstance(reply, ops.Committed)


def _draft_process(draft: Draft, name: str, fields: dict[str, bytes]) -> None:
    draft.fields(keys.process_info(name), dict(fields))
    status = fields.get("status", ACTIVE.encode()).decode("utf-8", "replace")
    draft.sign_of_life(Process(process_id=name, status=status))


def _add_history(number: int, events: list[bytes]) -> Steps[bool]:
    place = keys.issue_history(number)
    known = yield from tail(place, "", 1, 0)
    if known.entries or not events:
        return False
    yield ops.Commit({}, (ops.Append(place, tuple(events), keys.HISTORY_MAX),))
    return True


def _events(raw: bytes) -> list[bytes]:
    """The events of a history.

    Raises:
        InvalidInput: it is no list of them.
    """
    codec.decode_json(raw)
    try:
        events = [bytes(each) for each in msgspec.json.decode(raw, type=list[msgspec.Raw])]
    except codec.UNREADABLE as fault:
        raise InvalidInput("value", f"must be a list of events: {fault}") from None
    if len(events) > 2 * keys.HISTORY_MAX or None in map(codec.decode_event, events):
        raise InvalidInput("value", "must be a list of events that there are, and not too long")
    return events


def _hash(key: str, row: Row) -> tuple[ops.Write, ...]:
    fields = _fields(row.raw)
    return (ops.HashSet(key, fields),) if fields else ()


def _label(row: Row) -> LabelRequest:
    request = codec.decode_label(row.name, row.raw)
    if request.request_id != row.name:
        raise InvalidInput("label request", f"{row.name!r} says that it is {request.request_id!r}")
    return request


def _fields(raw: bytes) -> dict[str, bytes]:
    """The fields of a hash.

    Raises:
        InvalidInput: it is no object of texts.
    """
    found: Any = codec.decode_json(raw)
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise InvalidInput("value", "must be an object of texts")
    return {name: encode(text) for name, text in found.items()}
