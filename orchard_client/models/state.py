"""State by namespace and key, log lines, and events."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from orchard_client.models.base import Model


class NamespaceCount(Model, frozen=True, kw_only=True):
    """A namespace, and how many entries it has."""

    namespace: str
    count: int


class Namespaces(Model, frozen=True, kw_only=True):
    """All namespaces."""

    namespaces: list[NamespaceCount]
    count: int


class Namespace(Model, frozen=True, kw_only=True):
    """All entries of a namespace at one moment, and the cursor to watch from."""

    namespace: str
    count: int
    values: dict[str, Any]
    versions: dict[str, int]
    cursor: str


class Entry(Model, frozen=True, kw_only=True):
    """A value and the tag that stands for it, to change it only if nobody else has."""

    value: Any
    tag: str


class EntryVersion(Model, frozen=True, kw_only=True):
    """An entry that was set, or deleted (``version`` 0)."""

    namespace: str
    key: str
    version: int


class Stored(EntryVersion, frozen=True, kw_only=True):
    """An entry that was set, and the tag that stands for its value."""

    tag: str = ""


class Deleted(Model, frozen=True, kw_only=True):
    """The entry is gone."""

    namespace: str
    key: str
    deleted: bool


class Entries(Model, frozen=True, kw_only=True):
    """What a transaction has changed, in its order."""

    entries: list[EntryVersion]


class Put(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One change of a transaction: a value to set, or an entry to delete."""

    namespace: str
    key: str
    value: Any = msgspec.UNSET
    delete: bool = False
    if_version: int | None = None
    if_absent: bool = False


class Change(Model, frozen=True, kw_only=True):
    """An entry before and after; ``None`` where there is no value (``version`` 0: deleted)."""

    key: str
    old: Any
    new: Any
    version: int
    cursor: str
    at: datetime


class Changes(Model, frozen=True, kw_only=True):
    """Changes in order; after a ``reset`` the namespace must be read again."""

    changes: list[Change]
    cursor: str
    reset: bool


class LogLine(Model, frozen=True, kw_only=True):
    """One log line."""

    id: str
    time: datetime
    level: str
    level_number: int
    message: str
    logger: str
    process: str
    worker: str
    job: str
    issue: int | None
    fields: dict[str, Any]


class LogsPage(Model, frozen=True, kw_only=True):
    """Some log lines, newest first."""

    lines: list[LogLine]
    next: str | None

    @property
    def items(self) -> list[LogLine]:
        """The lines."""
        return self.lines


class LogsTaken(Model, frozen=True, kw_only=True):
    """How many lines were kept."""

    accepted: int


class Me(Model, frozen=True, kw_only=True):
    """In whose name a token speaks, and what it may do."""

    name: str
    scopes: list[str]


class Health(Model, frozen=True, kw_only=True):
    """Whether the server can work, and why not if it cannot."""

    status: str
    reason: str = ""
    fallback: bool = False
    """Whether it works in memory, because its state engine was not there when it started."""


class Event(Model, frozen=True, kw_only=True):
    """Something that happened."""

    name: str
    """What, such as ``job.advanced``; ``reset`` when some events are no longer kept."""
    cursor: str
    """Where it stands among all events: what to go on from."""
    at: datetime | None = None
    facts: dict[str, Any] = {}
    """All else that the event says."""


class EventsPage(Model, frozen=True, kw_only=True):
    """Events in order; ``reset`` when some after the cursor are no longer kept."""

    events: list[dict[str, Any]]
    cursor: str
    reset: bool

    @property
    def items(self) -> list[Event]:
        """The events, typed."""
        return [event_of(said) for said in self.events]


def event_of(said: dict[str, Any]) -> Event:
    """An event as it was sent, whatever a newer server has put into it."""
    head = {name: said[name] for name in ("name", "cursor", "at") if name in said}
    facts = {name: value for name, value in said.items() if name not in head}
    try:
        return msgspec.convert({"name": "", "cursor": "", "facts": facts} | head, Event)
    except msgspec.ValidationError:
        head.pop("at", None)
        return msgspec.convert({"name": "", "cursor": "", "facts": facts} | head, Event)
