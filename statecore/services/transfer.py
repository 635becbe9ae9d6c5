"""Writing all of the state to a file, as it is at one moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import IO, Any, NamedTuple

import msgspec

from statecore import codec, keys
from statecore.domain.entries import ISSUES
from statecore.domain.errors import InvalidInput, StateError
from statecore.domain.lifecycle import LabelStatus
from statecore.ports.export_format import (
    DAMAGED,
    HISTORY,
    LABELS,
    METADATA,
    NAMESPACES,
    PROCESSES,
)
from statecore.ports.export_writer import ExportWriter
from statecore.repository import issue_number
from statecore.services import namespaced, recorded
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.checks import decode
from statecore.store.file_formats import NotJson, compact, quoted
from statecore.store.steps import Steps, now, read, scan_index, tail

PAGE = 500
WAITING = (LabelStatus.QUEUED, LabelStatus.FAILED)
"""Label requests that are exported; those that were delivered are history."""

Progress = Callable[[str, int, int], None]
Hashes = dict[str, dict[str, bytes]]


class Snapshot(NamedTuple):
    """The state at one moment: all namespaces; what belongs to them was read right after."""

    at: datetime
    namespaces: Hashes
    processes: Hashes
    labels: dict[str, bytes]
    metadata: Hashes
    """What was noted of issues at their last check-in, where the record does not say it."""
    histories: dict[str, list[bytes]]
    """The events of each issue, oldest first."""


class ExportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was written."""

    counts: dict[str, int]
    damaged: list[str]
    """Entries that are no state, and why; they are in the file, and not imported again."""


def quiet(what: str, done: int, total: int) -> None:
    """Tell nobody."""


def export(
    store: Store, stream: IO[bytes], namespaces: Iterable[str] = (), progress: Progress = quiet
) -> ExportReport:
    """Write all of the state to a stream, each entry on a line of its own.

    ``namespaces`` are further ones, which only other programs have written to.
    """
    snapshot = store.run(take_snapshot(namespaces))
    writer = ExportWriter(stream, codec.iso(snapshot.at), store.name)
    damaged = list[tuple[str, str, str, bytes]]()
    total, done = sum(map(len, snapshot.namespaces.values())), 0
    with writer.section(NAMESPACES):
        for namespace, entries in sorted(snapshot.namespaces.items()):
            damaged += _write_namespace(writer, namespace, entries)
            done += len(entries)
            progress("exporting", done, total)
    _write_hashes(writer, PROCESSES, snapshot.processes)
    damaged += _write_labels(writer, snapshot.labels)
    _write_hashes(writer, METADATA, snapshot.metadata)
    with writer.section(HISTORY):
        for name, events in snapshot.histories.items():
            writer.entry(HISTORY, name, b"[" + b",".join(events) + b"]")
    _write_damaged(writer, damaged)
    writer.finish()
    told = [f"{namespace}/{key}: {why}" for namespace, key, why, _ in damaged]
    return ExportReport(counts=dict(writer.counts), damaged=told)


def _write_namespace(
    writer: ExportWriter, namespace: str, entries: dict[str, bytes]
) -> Iterator[tuple[str, str, str, bytes]]:
    damaged = []
    with writer.section(namespace):
        for key, raw in sorted(entries.items()):
            try:
                writer.entry("entries", key, recorded.check(namespace, key, raw).raw)
            except InvalidInput as fault:
                damaged.append((namespace, key, str(fault), raw))
    yield from damaged


def _write_hashes(writer: ExportWriter, section: str, hashes: Hashes) -> None:
    with writer.section(section):
        for name, fields in sorted(hashes.items()):
            texts = {field: decode(value) for field, value in sorted(fields.items())}
            writer.entry(section, name, _packed(texts))


def _write_labels(
    writer: ExportWriter, labels: dict[str, bytes]
) -> Iterator[tuple[str, str, str, bytes]]:
    damaged = []
    with writer.section(LABELS):
        for name, raw in sorted(labels.items()):
            try:
                codec.decode_label(name, raw)
                writer.entry(LABELS, name, compact(raw))
            except (StateError, NotJson) as fault:
                damaged.append((LABELS, name, str(fault), raw))
    yield from damaged


def _write_damaged(writer: ExportWriter, found: Sequence[tuple[str, str, str, bytes]]) -> None:
    with writer.section(DAMAGED):
        for number, (namespace, key, why, raw) in enumerate(found, start=1):
            told = {"namespace": namespace, "key": key, "why": why, "text": decode(raw)}
            writer.entry(DAMAGED, str(number), _packed(told))


def _packed(value: Mapping[str, str]) -> bytes:
    """Texts as JSON; bytes that are no text come back from it as they were."""
    pairs = (f"{quoted(name)}: {quoted(text)}" for name, text in value.items())
    return f"{{{', '.join(pairs)}}}".encode()


# -- reading ----------------------------------------------------------------------


def take_snapshot(namespaces: Iterable[str] = ()) -> Steps[Snapshot]:
    """All that is exported."""
    at = yield from now()
    names = sorted({*(yield from namespaced.list_namespaces()), *namespaces})
    hashes = yield from read(*(ops.WholeHash(keys.state(name)) for name in names))
    state = {name: fields for name, fields in zip(names, hashes, strict=True) if fields}
    issues = state.get(ISSUES, {})
    return Snapshot(
        at, state, (yield from _processes()), (yield from _labels()),
        (yield from _metadata(issues)), (yield from _histories(issues)),
    )  # fmt: skip


def _processes() -> Steps[Hashes]:
    names = yield from _members(keys.PROCESSES)
    hashes = yield from _in_pages(names, lambda name: ops.WholeHash(keys.process_info(name)))
    return {name: fields for name, fields in zip(names, hashes, strict=True) if fields}


def _labels() -> Steps[dict[str, bytes]]:
    names = list[str]()
    for status in WAITING:
        names += yield from _members(keys.labels_in(status))
    raws = yield from _in_pages(names, lambda name: ops.Key(keys.label(name)))
    return {name: raw for name, raw in zip(names, raws, strict=True) if raw is not None}


def _metadata(issues: dict[str, bytes]) -> Steps[Hashes]:
    found = {key: number for key in issues if (number := issue_number(ISSUES, key))}
    refs = yield from _in_pages(
        list(found), lambda key: ops.WholeHash(keys.issue_metadata(found[key]))
    )
    hashes = dict(zip(found, refs, strict=True))
    return {
        key: fields for key, fields in hashes.items()
        if fields and fields != _said_by(found[key], issues[key])
    }  # fmt: skip


def _histories(issues: dict[str, bytes]) -> Steps[dict[str, list[bytes]]]:
    found = dict[str, list[bytes]]()
    for key in sorted(issues):
        if number := issue_number(ISSUES, key):
            tailed = yield from tail(keys.issue_history(number), "", 2 * keys.HISTORY_MAX, 0)
            events = [compact(raw) for _, raw in tailed.entries if codec.decode_event(raw)]
            found |= {key: events} if events else {}
    return found


def _said_by(number: int, raw: bytes) -> dict[str, bytes]:
    """What the record of an issue says of its last check-in."""
    try:
        result = codec.decode_issue(number, raw).result
        return codec.metadata_hash({} if result is None else result)
    except (StateError, UnicodeEncodeError):
        return {}


def _members(index: str) -> Steps[list[str]]:
    found, last = list[str](), None
    while True:
        page = yield from scan_index(index, PAGE, after=last)
        found += [member for member, _ in page]
        if len(page) < PAGE:
            return found
        last = page[-1][1], page[-1][0]


def _in_pages(names: Sequence[str], ref: Callable[[str], ops.Ref]) -> Steps[list[Any]]:
    found = list[Any]()
    for start in range(0, len(names), PAGE):
        found += yield from read(*map(ref, names[start : start + PAGE]))
    return found
