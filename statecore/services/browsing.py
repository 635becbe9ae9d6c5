"""Looking into namespaces: pages of entries, found by key or text, and how an entry has changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

import msgspec

from statecore import codec, keys
from statecore.domain.entries import Entry, check_place
from statecore.domain.events import StateChanged
from statecore.domain.names import check_name
from statecore.repository import entry_cells, find_entry
from statecore.services import chronicle
from statecore.store import ops
from statecore.store.steps import Steps, read

HISTORY_MAX = 20
_DIGITS = re.compile(r"(\d+)", re.ASCII)


class EntryPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some entries of a namespace, in the order of their keys."""

    entries: list[Entry]
    total: int
    """How many entries the namespace has."""
    found: int
    """How many of them are of those looked for."""
    next: str = ""
    """The key after which the next page begins; empty on the last one."""
    first: bool = True


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """One change of an entry; ``old`` and ``new`` are JSON texts, ``None`` for no value."""

    at: datetime
    version: int
    """0 when it was deleted."""
    old: str | None
    new: str | None
    known: bool = True
    """False when the values were large, and are gone."""


class EntryHistory(msgspec.Struct, frozen=True, kw_only=True):
    """The changes of an entry, the newest first."""

    revisions: list[Revision]
    older: str = ""
    """Where to look for older ones; empty when the stream reaches no further back."""


def page_entries(
    namespace: str, *, search: str = "", after: str = "", limit: int = 50
) -> Steps[EntryPage]:
    """A page of a namespace; ``search`` is looked for in keys and values, in any case.

    Raises:
        InvalidInput: the namespace cannot be a name.
    """
    check_name("namespace", namespace)
    (values,) = yield from read(ops.WholeHash(keys.state(namespace)))
    names = sorted(_matching(values, search), key=_order)
    rest = [name for name in names if not after or _order(name) > _order(after)]
    shown = rest[:limit]
    versions = yield from read(*(entry_cells(namespace, name)[1] for name in shown))
    entries = []
    for name, version in zip(shown, versions, strict=True):
        value_cell, version_cell = entry_cells(namespace, name)
        entry = find_entry({value_cell: values[name], version_cell: version}, namespace, name)
        entries += [entry] if entry else []
    return EntryPage(
        entries=entries, total=len(values), found=len(names), first=len(rest) == len(names),
        next=shown[-1] if len(rest) > limit else "",
    )  # fmt: skip


def history(namespace: str, key: str, *, before: str = "") -> Steps[EntryHistory]:
    """The latest changes of an entry, or the latest before a cursor.

    Raises:
        InvalidInput: namespace, key or cursor will not do.
    """
    check_place(namespace, key)
    named = codec.encode_json(key)

    def is_change(raw: bytes) -> bool:
        if not raw.startswith(b'{"name":"state.changed"') or named not in raw:
            return False
        event = codec.decode_event(raw)
        is_one = isinstance(event, StateChanged)
        return is_one and (event.namespace, event.key) == (namespace, key)  # type: ignore[union-attr]

    page = yield from chronicle.latest(is_change, limit=HISTORY_MAX, before=before)
    revisions = []
    for one in page.happenings:
        event = codec.decode_event(one.raw)
        if isinstance(event, StateChanged):
            revisions.append((yield from _revision(event)))
    return EntryHistory(revisions=revisions, older=page.older)


def _revision(event: StateChanged) -> Steps[Revision]:
    old, new, known = event.old, event.new, True
    if event.kept_aside:
        (raw,) = yield from read(ops.Key(keys.change(event.kept_aside)))
        kept = codec.decode_json(raw) if raw else {}
        old, new, known = kept.get("old"), kept.get("new"), raw is not None
    return Revision(at=event.at, version=event.version, old=old, new=new, known=known)


def _matching(values: dict[str, bytes], search: str) -> Iterator[str]:
    wanted = search.casefold()
    for key, raw in values.items():
        texts = (key, raw.decode("utf-8", "replace")) if wanted else ()
        if not wanted or any(wanted in text.casefold() for text in texts):
            yield key


def _order(key: str) -> list[tuple[int, str]]:
    """Numbers in keys count as numbers: 9 stands before 10."""
    parts = _DIGITS.split(key)
    return [(int(part[:18]) if n % 2 else -1, part) for n, part in enumerate(parts)]
