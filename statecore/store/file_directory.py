"""A state directory: keys in memory that are what its files say, and steps that last.

A step is decided when its line is in the journal. Unified files that it changes
are written beside their places before, and put there afterwards; whoever comes
next, perhaps because this process was killed in between, finishes that first.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from statecore.store.errors import StoreError, StoreUnavailable
from statecore.store.file_damage import Infirmary
from statecore.store.file_disk import locked, sync_directory
from statecore.store.file_formats import file_name
from statecore.store.file_journal import Head, Journal, Step, read_snapshot, replace_lines
from statecore.store.file_keyspace import FileKeyspace
from statecore.store.file_lines import pack_line
from statecore.store.file_unified import UnifiedFiles

JOURNAL, SNAPSHOT, LOCK = "orchard-state.journal", "orchard-state.snapshot", "orchard-state.lock"
COMPACT_BYTES = 1024 * 1024
"""A journal is not compacted before it is so long, and twice as long as the snapshot."""

T = TypeVar("T")
log = logging.getLogger(__name__)


class StateDirectory:
    """The files of one directory, shared with other processes; not for several threads at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.infirmary = Infirmary()
        self.keys = FileKeyspace()
        self._journal: Journal | None = None
        self._files = UnifiedFiles(path, self.infirmary.move)
        self._lineage, self._number, self._in_snapshot = "", 0, 0
        self._compact_at = COMPACT_BYTES

    @contextmanager
    def opened(self, now_ms: int) -> Iterator[FileKeyspace]:
        """The keys as they are at ``now_ms``, with all other processes kept out."""
        with locked(self.path / LOCK):
            try:
                self._refresh()
            except BaseException:
                self._forget()
                raise
            self.keys.moment.ms = now_ms
            yield self.keys

    def write(self, change: Callable[[], T]) -> T:
        """Make the writes last that ``change`` applies to the keys, or none of them."""
        try:
            self.keys.drop_old()
            reply = change()
            if self.keys.noted:
                self._keep()
        except BaseException:
            if self.keys.noted:
                self._forget()
            raise
        return reply

    def has_news(self) -> bool:
        """Whether another process has written to the journal; cheap, and without keeping it out."""
        try:
            return self._journal is None or self._journal.is_behind()
        except OSError:
            return True

    def close(self) -> None:
        """Leave a snapshot, if there is room for one, and let go of the files."""
        if self._journal and self.path.is_dir():
            with suppress(OSError, StoreError), self.opened(0):
                if self._number > self._in_snapshot:
                    self._compact(self._lineage)
        self._forget()

    def _forget(self) -> None:
        """Begin again from the files with the next step."""
        if self._journal:
            self._journal.close()
        self._journal = None

    # -- reading -------------------------------------------------------------------

    def _refresh(self) -> None:
        if self._journal and self._journal.is_replaced():
            self._forget()
            self._journal = self._journal_after(self._lineage, self._number)
        if self._journal is None:
            self._load()
        elif self._journal.is_behind() and not self._read_journal(self._journal, is_first=False):
            self._compact(_new_lineage())
        self._files.refresh(self.keys)

    def _journal_after(self, lineage: str, number: int) -> Journal | None:
        """The journal, if it goes on from the last step that we know: after a compaction."""
        with suppress(FileNotFoundError):
            journal = Journal(self.path / JOURNAL)
            if journal.head and journal.head[:2] == (lineage, number):
                return journal
            journal.close()
        return None

    def _load(self) -> None:
        """Read everything anew, and leave out of our own files what makes no sense in them."""
        self.keys = FileKeyspace()
        self._files = UnifiedFiles(self.path, self.infirmary.move)
        is_sound = self._load_snapshot()
        with suppress(FileNotFoundError):
            journal = self._journal = Journal(self.path / JOURNAL)
            is_sound &= self._joins(journal)
            is_sound &= self._read_journal(journal, is_first=True)
        self._files.clean_up()
        self._files.refresh(self.keys)
        self.keys.drop_vain_deadlines()
        if self._journal is None or not is_sound:
            self._compact(_new_lineage())

    def _load_snapshot(self) -> bool:
        """Hold what the snapshot says; whether all of it made sense."""
        path = self.path / SNAPSHOT
        self._lineage, self._number, self._in_snapshot = "", 0, 0
        try:
            head, rows, damaged = read_snapshot(path)
        except FileNotFoundError:
            return True
        self.keys.load(rows, head.newest_ms)
        self._lineage, self._number, self._in_snapshot = head.lineage, head.number, head.number
        return self._is_sound(path, damaged)

    def _joins(self, journal: Journal) -> bool:
        """Whether the journal goes on from the snapshot; one of something else is passed over."""
        head = journal.head or Head(self._lineage, self._number, 0)
        if self._lineage not in ("", head.lineage):
            self.infirmary.copy(journal.path, "It does not belong to the snapshot")
            journal.skip()
            return False
        self._lineage = head.lineage
        if head.number <= self._number:
            return True
        self.infirmary.copy(journal.path, "The snapshot that it goes on from is missing")
        return False

    def _read_journal(self, journal: Journal, *, is_first: bool) -> bool:
        """Repeat the steps that are new in the journal; whether all of them made sense.

        What the first reading says of unified files is in them already, but for the last step.
        """
        unpacked, step = journal.read_on(), None
        for row in unpacked.values:
            step = Step.read(row)
            if step.number > self._number:
                self._repeat(step, is_first)
                self._number = step.number
        if step:
            self._finish(step)
        return self._is_sound(journal.path, unpacked.damaged)

    def _repeat(self, step: Step, is_first: bool) -> None:
        writes = step.writes if is_first else [*step.writes, *step.filed]
        try:
            self.keys.repeat(step.at_ms, writes)
        except StoreError as error:  # it follows from a line that was damaged
            log.warning("Step %d of the journal could not be repeated: %s", step.number, error)
        for key, deadline in step.deadlines.items():
            self.keys.put_deadline(key, deadline)

    def _is_sound(self, path: Path, damaged: list[int]) -> bool:
        if damaged:
            lines = ", ".join(map(str, damaged))
            self.infirmary.copy(path, f"Damaged lines were left out: {lines}")
        return not damaged

    # -- writing ---------------------------------------------------------------------

    def _keep(self) -> None:
        """Make the writes that were noted a step that lasts."""
        journal, keys = self._journal, self.keys
        if journal is None:
            raise StoreUnavailable(f"{self.path} is not open")
        step = Step.of(self._number + 1, keys)
        try:
            for key in step.deadlines:
                self._files.prepare(key, keys.fields(key), step.number)
            if step.deadlines:
                sync_directory(self.path)
            journal.append(step.line())
        except BaseException:
            self._files.drop_prepared(step.deadlines, step.number)
            raise
        self._number = step.number
        self._finish(step)
        keys.noted.clear()
        if journal.read_to > self._compact_at:
            self._try_to_compact()

    def _finish(self, step: Step) -> None:
        """Put the unified files of the last step in place."""
        finished = [self._files.finish(key, step.number) for key in step.deadlines]
        if any(finished):
            sync_directory(self.path)

    def _try_to_compact(self) -> None:
        try:
            self._compact(self._lineage)
        except OSError as error:
            log.warning("The journal in %s could not be compacted: %s", self.path, error)
            self._compact_at *= 2

    def _compact(self, lineage: str) -> None:
        """Write a snapshot and begin a new journal.

        A new lineage tells others that it says something else than what they have read.
        """
        head = Head(lineage, self._number, self.keys.newest_ms)
        rows = self.keys.dump(file_name)
        size = replace_lines(self.path / SNAPSHOT, [pack_line(head), *map(pack_line, rows)])
        journal = Journal.create(self.path / JOURNAL, head)
        self._forget()
        self._journal, self._lineage, self._in_snapshot = journal, lineage, self._number
        self._compact_at = max(COMPACT_BYTES, 2 * size)


def _new_lineage() -> str:
    return secrets.token_hex(8)
