"""State by namespace and key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from orchard_client.call import API, Answer, Call, Reader, answers, encode, get, quoted, send
from orchard_client.models.state import (
    Changes,
    Deleted,
    Entries,
    Entry,
    EntryVersion,
    Namespace,
    NamespaceCount,
    Namespaces,
    Put,
    Stored,
)

_count = answers(NamespaceCount)
_value: Reader[Any] = Reader(Any)
_version = Reader(EntryVersion)


def list_namespaces() -> Call[Namespaces]:
    """All namespaces, and how many entries each has."""
    return get("/state", answers(Namespaces))


def get_namespace(namespace: str) -> Call[Namespace]:
    """All entries of a namespace at one moment, and the cursor to watch from."""
    return get(_of(namespace), answers(Namespace))


def replace_namespace(namespace: str, values: Mapping[str, Any]) -> Call[NamespaceCount]:
    """Let a namespace hold these values and nothing else."""
    return send("PUT", _of(namespace), _count, {"values": dict(values)}, repeatable=True)


def clear_namespace(namespace: str) -> Call[NamespaceCount]:
    """Delete all entries of a namespace."""
    return send("DELETE", _of(namespace), _count)


def get_entry(namespace: str, key: str) -> Call[Entry]:
    """A value, and the tag that stands for it."""
    return get(f"{_of(namespace)}/entry", _entry, query={"key": key})


def put_entry(
    namespace: str, key: str, value: Any, *, if_match: str | None = None,
    if_none_match: bool = False,
) -> Call[Stored]:  # fmt: skip
    """Set an entry; with ``if_match`` (a tag) only if it is unchanged, with ``if_none_match``
    only if there is none."""
    conditions = {"If-Match": if_match or "", "If-None-Match": "*" if if_none_match else ""}
    headers = {name: text for name, text in conditions.items() if text}
    return Call(
        method="PUT", path=f"{API}{_of(namespace)}/entry", read=_stored, body=encode(value),
        query={"key": key}, headers=headers, repeatable=not headers,
    )  # fmt: skip


def delete_entry(namespace: str, key: str, *, if_match: str | None = None) -> Call[Deleted]:
    """Delete an entry; with ``if_match`` (a tag) only if it is unchanged."""
    return send(
        "DELETE", f"{_of(namespace)}/entry", answers(Deleted), query={"key": key},
        headers={"If-Match": if_match} if if_match else {},
    )  # fmt: skip


def change_state(changes: Sequence[Put]) -> Call[Entries]:
    """Make all these changes, or none of them."""
    body = {"changes": [msgspec.to_builtins(change) for change in changes]}
    bound = any(one.if_version is not None or one.if_absent for one in changes)
    return send("PATCH", "/state", answers(Entries), body, repeatable=not bound)


def watch_namespace(
    namespace: str, *, cursor: str = "", limit: int = 100, wait_s: float = 0
) -> Call[Changes]:
    """Changes after a cursor, waiting up to ``wait_s`` seconds for the first."""
    query = {"cursor": cursor, "limit": limit, "wait_s": wait_s}
    return get(f"{_of(namespace)}/watch", answers(Changes), query=query, wait_s=wait_s)


def _of(namespace: str) -> str:
    return f"/state/{quoted(namespace)}"


def _entry(answer: Answer) -> Entry:
    return Entry(value=_value(answer), tag=answer.headers.get("etag", ""))


def _stored(answer: Answer) -> Stored:
    told = _version(answer)
    tag = answer.headers.get("etag", "")
    return Stored(namespace=told.namespace, key=told.key, version=told.version, tag=tag)
