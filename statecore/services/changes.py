"""Watching: each change of a namespace, from any process, in order, from a cursor on."""

from __future__ import annotations

import msgspec

from statecore import codec, keys
from statecore.domain.entries import Changed
from statecore.domain.errors import InvalidInput
from statecore.domain.events import StateChanged
from statecore.domain.names import check_name
from statecore.store import ops
from statecore.store.errors import BadCursor
from statecore.store.steps import Steps, read, tail

MOST_TEXT = 4_000_000
"""An answer ends with the change that makes its values longer than this, in characters."""


class Changes(msgspec.Struct, frozen=True):
    """Changes in order, and the cursor to go on from.

    ``reset`` says that some are no longer known: whoever watches must read
    the namespace again. ``at_end`` says that there were no more events yet.
    """

    changes: list[Changed]
    cursor: str
    reset: bool = False
    at_end: bool = True


def now_cursor() -> Steps[str]:
    """The cursor of *now*. Take it before reading a namespace, and nothing is missed."""
    tailed = yield from tail(keys.EVENTS, "$", 1, 0)
    return tailed.cursor


def changes_after(
    cursor: str, *, namespaces: frozenset[str] = frozenset(), limit: int = 500, block_ms: int = 0
) -> Steps[Changes]:
    """Changes of some namespaces (or of all) after a cursor, waiting for the first event.

    The answer may be empty although ``block_ms`` are not over: something else
    has happened then, and the cursor has moved past it. It has fewer than
    ``limit`` when their values together are large.

    Raises:
        InvalidInput: the cursor is none of this stream's, or a namespace is no name.
    """
    for namespace in namespaces:
        check_name("namespace", namespace)
    try:
        tailed = yield from tail(keys.EVENTS, cursor, limit, block_ms)
    except BadCursor:
        raise InvalidInput("cursor", "not a cursor of the changes") from None
    found: list[Changed] = []
    size = 0
    for at, raw in tailed.entries:
        event = codec.decode_event(raw)
        if isinstance(event, StateChanged) and (not namespaces or event.namespace in namespaces):
            values = yield from _values(event)
            if values is None:
                return Changes([], tailed.cursor, reset=True)
            found.append(_changed(event, *values, at))
            size += sum(len(text or "") for text in values)
            if size > MOST_TEXT:
                return Changes(found, at, tailed.reset, at_end=False)
    return Changes(found, tailed.cursor, tailed.reset, at_end=len(tailed.entries) < limit)


def _values(event: StateChanged) -> Steps[tuple[str | None, str | None] | None]:
    """The old and the new value; ``None`` when they were large and are gone."""
    if not event.kept_aside:
        return event.old, event.new
    (raw,) = yield from read(ops.Key(keys.change(event.kept_aside)))
    if raw is None:
        return None
    kept = codec.decode_json(raw)
    return kept["old"], kept["new"]


def _changed(event: StateChanged, old: str | None, new: str | None, cursor: str) -> Changed:
    return Changed(
        namespace=event.namespace, key=event.key, version=event.version, cursor=cursor,
        old=None if old is None else codec.decode_json(old),
        new=None if new is None else codec.decode_json(new), at=event.at,
    )  # fmt: skip
