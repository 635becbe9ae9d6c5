"""Looking into namespaces: how an entry has changed."""

from __future__ import annotations

from datetime import datetime

import msgspec

from statecore import codec, keys
from statecore.domain.entries import check_place
from statecore.domain.events import StateChanged
from statecore.services import chronicle
from statecore.store import ops
from statecore.store.steps import Steps, read

HISTORY_MAX = 20


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
