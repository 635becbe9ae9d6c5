"""Namespaced state: JSON values under keys, for all processes at once (CONTRACTS section 2).

Whatever is read is read from the engine: what one process sets, another sees at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from statecore import keys
from statecore.domain import entries
from statecore.domain.entries import DEFAULT_NAMESPACES, Entry, Put, check_place
from statecore.domain.errors import UnknownEntry
from statecore.domain.names import check_name
from statecore.repository import Draft, entry_cells, find_entry
from statecore.services.drafting import Moved, draft_entry
from statecore.services.engine import get_limits
from statecore.services.values import encode_value, new_id
from statecore.store import ops
from statecore.store.errors import TooManyConflicts
from statecore.store.steps import MAX_TRIES, Decision, Seen, Steps, read, transact


def get(namespace: str, key: str) -> Steps[Entry | None]:
    """An entry, or ``None``.

    Raises:
        InvalidInput: namespace or key cannot be a name.
    """
    cells = entry_cells(*check_place(namespace, key))
    values = yield from read(*cells)
    return find_entry(dict(zip(cells, values, strict=True)), namespace, key)


def require(namespace: str, key: str) -> Steps[Entry]:
    """An entry.

    Raises:
        UnknownEntry: there is none.
    """
    entry = yield from get(namespace, key)
    if entry is None:
        raise UnknownEntry(namespace=namespace, key=key)
    return entry


def get_all(namespace: str) -> Steps[dict[str, Entry]]:
    """All entries of a namespace, at one moment."""
    check_name("namespace", namespace)
    values, versions = yield from read(
        ops.WholeHash(keys.state(namespace)), ops.WholeHash(keys.versions(namespace))
    )
    seen: Seen = {
        **{ops.Field(keys.state(namespace), key): raw for key, raw in values.items()},
        **{ops.Field(keys.versions(namespace), key): raw for key, raw in versions.items()},
    }
    found = {key: find_entry(seen, namespace, key) for key in values}
    return {key: entry for key, entry in found.items() if entry is not None}


def list_namespaces() -> Steps[tuple[str, ...]]:
    """The names of all namespaces: those that are always there, and those written to."""
    (written,) = yield from read(ops.Members(keys.NAMESPACES))
    return (*DEFAULT_NAMESPACES, *sorted(written - set(DEFAULT_NAMESPACES)))


def count_all() -> Steps[dict[str, int]]:
    """How many entries each namespace has."""
    names = yield from list_namespaces()
    sizes = yield from read(*(ops.Size(keys.state(name)) for name in names))
    return {name: int(size) for name, size in zip(names, sizes, strict=True)}


def put(
    namespace: str, key: str, value: Any, *, if_version: int | None = None,
    if_absent: bool = False,
) -> Steps[Entry]:  # fmt: skip
    """Set an entry, when its conditions hold.

    Raises:
        InvalidInput: namespace, key or value will not do.
        TooLarge: the value is larger than the limit.
        VersionConflict: the entry is not what it was expected to be.
    """
    wish = Put(
        namespace=namespace, key=key, raw=encode_value(value), if_version=if_version,
        if_absent=if_absent,
    )  # fmt: skip
    (entry,) = yield from put_many([wish])
    if entry is None:
        raise UnknownEntry(namespace=namespace, key=key)
    return entry


def delete(namespace: str, key: str, *, if_version: int | None = None) -> Steps[bool]:
    """Delete an entry; false when there is none.

    Raises:
        VersionConflict: the entry is not what it was expected to be.
    """
    wish = Put(namespace=namespace, key=key, raw=None, if_version=if_version)
    return (yield from delete_if(wish))


def delete_if(wish: Put) -> Steps[bool]:
    """Delete an entry when the conditions of the wish hold; false when there is none.

    Raises:
        VersionConflict: the entry is not what it was expected to be.
    """
    (moved,) = yield from _put_many([msgspec.structs.replace(wish, raw=None)])
    return moved.before is not None


def remove(namespace: str, key: str) -> Steps[None]:
    """Delete an entry that should be there.

    Raises:
        UnknownEntry: there is none (any more).
    """
    if not (yield from delete(namespace, key)):
        raise UnknownEntry(namespace=namespace, key=key)


def put_many(puts: Sequence[Put], *, as_recorded: bool = False) -> Steps[list[Entry | None]]:
    """Make all wishes true in one step, or none; the entries as they are then.

    ``as_recorded``: they come from a file; records of issues are taken word for
    word, and their states ask for no labels.

    Raises:
        InvalidInput: a namespace, key or value will not do.
        VersionConflict: an entry is not what it was expected to be, or stands there twice.
    """
    moved = yield from _put_many(puts, as_recorded=as_recorded)
    return [one.after for one in moved]


def replace_all(namespace: str, values: Mapping[str, Any]) -> Steps[None]:
    """Let a namespace hold exactly these values.

    Raises:
        InvalidInput: namespace, a key or a value will not do.
    """
    check_name("namespace", namespace)
    wanted = {key: encode_value(value) for key, value in values.items()}
    for _ in range(MAX_TRIES):
        present, size = yield from read(
            ops.WholeHash(keys.state(namespace)), ops.Size(keys.state(namespace))
        )
        puts = [Put(namespace=namespace, key=key, raw=raw) for key, raw in wanted.items()]
        gone = present.keys() - wanted.keys()
        puts += [Put(namespace=namespace, key=key, raw=None) for key in gone]
        expected: Seen = {ops.Size(keys.state(namespace)): size}
        if (yield from commit_if(expected, puts)):
            return
    raise TooManyConflicts(f"{namespace} kept changing while it was replaced")


def clear(namespace: str) -> Steps[None]:
    """Delete all entries of a namespace."""
    yield from replace_all(namespace, {})


def commit_if(expected: Seen, puts: Sequence[Put]) -> Steps[bool]:
    """Make all wishes true if these cells still hold this; false when they do not.

    What a transaction has read goes into ``expected``.

    Raises:
        InvalidInput: a namespace, key or value will not do.
    """
    for one in puts:
        check_place(one.namespace, one.key)
    unread = [cell for cell in _cells(puts) if cell not in expected]
    values = (yield from read(*unread)) if unread else []
    seen = {**expected, **dict(zip(unread, values, strict=True))}
    at = yield ops.Now()
    _, writes = _decide(puts, seen, at, new_id())
    reply = yield ops.Commit(seen, writes)
    return isinstance(reply, ops.Committed)


def _put_many(puts: Sequence[Put], *, as_recorded: bool = False) -> Steps[list[Moved]]:
    entries.check_each_once(puts)
    for one in puts:
        check_place(one.namespace, one.key)
    name = new_id()

    def decide(seen: Seen, at: datetime) -> Decision[list[Moved]]:
        moved, writes = _decide(puts, seen, at, name, as_recorded=as_recorded)
        return Decision(moved, writes)

    return (yield from transact(_cells(puts), decide))


def _cells(puts: Sequence[Put]) -> list[ops.Cell]:
    return [cell for one in puts for cell in entry_cells(one.namespace, one.key)]


def _decide(
    puts: Sequence[Put], seen: Seen, at: datetime, name: str, *, as_recorded: bool = False
) -> tuple[list[Moved], tuple[ops.Write, ...]]:
    draft = Draft(get_limits(), at)
    moved = [
        draft_entry(draft, one, seen, f"{name}-{i}", at, as_recorded=as_recorded)
        for i, one in enumerate(puts)
    ]
    return moved, draft.writes()
