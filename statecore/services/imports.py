"""Bringing an export back: all of it is checked before one key is touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path

import msgspec

from statecore import keys
from statecore.domain.entries import Put
from statecore.domain.errors import StateError
from statecore.ports.export_format import (
    DAMAGED,
    HISTORY,
    LABELS,
    METADATA,
    NAMESPACES,
    PROCESSES,
    BadExport,
    Head,
    Row,
)
from statecore.ports.export_reader import ExportFile
from statecore.ports.sealed_files import EXPORT
from statecore.services import namespaced, recorded
from statecore.services.import_rows import add_row, check_row
from statecore.services.recorded import Outcome, Recorded
from statecore.services.transfer import Progress, quiet
from statecore.services.turns import one_at_a_time
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.errors import StoreError
from statecore.store.file_formats import compact
from statecore.store.steps import read

TURN = "state-import"


class Mode(StrEnum):
    """What happens to entries that are not in the file."""

    MERGE = "merge"
    """They stay; those in the file have the say over those in the engine."""
    REPLACE = "replace"
    """They are deleted."""


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """An export that can be imported."""

    head: Head
    counts: dict[str, int]
    keys: dict[str, frozenset[str]]
    """The keys of each namespace."""


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, or (``dry_run``) would do."""

    mode: Mode
    dry_run: bool
    exported_at: str
    source: str
    counts: dict[str, int]
    new: int
    equal: int
    replaced: int
    deleted: int
    processes: int
    label_requests: int
    not_imported: int
    """Damaged entries, which the export holds for people only."""


def check_export(path: Path, progress: Progress = quiet, *, place: str = EXPORT) -> Checked:
    """Look at every entry of an export, and touch nothing.

    Raises:
        BadExport: it is cut off, altered, of a newer version, or an entry will not do; says which.
        OSError: it cannot be read.
    """
    file = ExportFile(path, place)
    head = file.check_frame()
    counts, found = Counter[str](), dict[str, set[str]]()
    for done, row in enumerate(file.rows()):
        try:
            check_row(row)
        except (StateError, StoreError, UnicodeError) as fault:
            raise BadExport(f"line {row.line}: {fault}") from None
        counts["entries" if row.section == NAMESPACES else row.section] += 1
        if row.section == NAMESPACES:
            found.setdefault(row.namespace, set()).add(row.name)
        if done % 1000 == 0:
            progress("checking", done, 0)
    names = {namespace: frozenset(each) for namespace, each in found.items()}
    return Checked(head=head, counts=dict(sorted(counts.items())), keys=names)


def import_export(
    store: Store, path: Path, mode: Mode = Mode.MERGE, *, dry_run: bool = False,
    progress: Progress = quiet, place: str = EXPORT,
) -> ImportReport:  # fmt: skip
    """Bring back what an export holds; killed in the middle, it can be done again.

    Processes and label requests that the engine knows already stay as they are.
    ``place`` is what the file was sealed for.

    Raises:
        BadExport: the file will not do; nothing was changed then.
        LockTimeout: another process imports.
        OSError: the file cannot be read.
    """
    file = ExportFile(path, place)
    checked = check_export(path, progress, place=place)
    if dry_run:
        return _Import(store, file, checked, mode, progress).preview()
    with one_at_a_time(store, TURN) as keep_turn:

        def go_on(what: str, done: int, total: int) -> None:
            keep_turn()
            progress(what, done, total)

        return _Import(store, file, checked, mode, go_on).run()


class _Import:
    """One import of a file that has been checked."""

    def __init__(
        self, store: Store, file: ExportFile, checked: Checked, mode: Mode, progress: Progress
    ) -> None:
        self._store, self._file, self._checked = store, file, checked
        self._mode, self._progress = mode, progress

    def preview(self) -> ImportReport:
        """What it would do."""
        outcome, done = Outcome(), 0
        for batch in recorded.batches(self._entries()):
            outcome += self._store.run(recorded.compare(batch, overwrite=True))
            done = self._tell("comparing", done, batch)
        return self._report(outcome, self._count_others(), 0, 0, dry_run=True)

    def run(self) -> ImportReport:
        """Do it: entries first, then what belongs to them; last, others are deleted."""
        outcome, done = Outcome(), 0
        for batch in recorded.batches(self._entries()):
            outcome += self._store.run(recorded.put_batch(batch, overwrite=True))
            done = self._tell("importing", done, batch)
        added = Counter(
            row.section for row in self._rows(PROCESSES, LABELS, METADATA, HISTORY)
            if self._store.run(add_row(row))
        )  # fmt: skip
        deleted = self._delete_others() if self._mode is Mode.REPLACE else 0
        return self._report(outcome, deleted, added[PROCESSES], added[LABELS], dry_run=False)

    def _tell(self, what: str, done: int, batch: list[Recorded]) -> int:
        done += len(batch)
        self._progress(what, done, self._checked.counts.get("entries", 0))
        return done

    def _entries(self) -> Iterator[Recorded]:
        for row in self._rows(NAMESPACES):
            yield Recorded(row.namespace, row.name, compact(row.raw))

    def _rows(self, *sections: str) -> Iterable[Row]:
        return (row for row in self._file.rows() if row.section in sections)

    # -- what is not in the file ----------------------------------------------------

    def _count_others(self) -> int:
        if self._mode is Mode.MERGE:
            return 0
        return sum(len(others) for _, others in self._others())

    def _others(self) -> Iterator[tuple[str, list[str]]]:
        """The keys of each namespace that the file does not have."""
        for namespace in self._store.run(namespaced.list_namespaces()):
            (held,) = self._store.run(read(ops.WholeHash(keys.state(namespace))))
            known = self._checked.keys.get(namespace, frozenset())
            yield namespace, sorted(held.keys() - known)

    def _delete_others(self) -> int:
        deleted = 0
        for namespace, others in self._others():
            for start in range(0, len(others), recorded.BATCH_ENTRIES):
                batch = others[start : start + recorded.BATCH_ENTRIES]
                self._progress("deleting", start, len(others))
                puts = [Put(namespace=namespace, key=key, raw=None) for key in batch]
                self._store.run(namespaced.put_many(puts, as_recorded=True))
                deleted += len(batch)
        return deleted

    def _report(
        self, outcome: Outcome, deleted: int, processes: int, labels: int, *, dry_run: bool
    ) -> ImportReport:
        checked = self._checked
        return ImportReport(
            mode=self._mode, dry_run=dry_run, exported_at=checked.head.exported_at,
            source=checked.head.source, counts=checked.counts, new=len(outcome.new),
            equal=len(outcome.equal), replaced=len(outcome.replaced), deleted=deleted,
            processes=processes, label_requests=labels,
            not_imported=checked.counts.get(DAMAGED, 0),
        )  # fmt: skip
