"""What has happened in a state directory: a snapshot, and the journal that goes on from it."""

from __future__ import annotations

import logging
import secrets
from contextlib import suppress
from pathlib import Path

from statecore.store.errors import StoreError, StoreUnavailable
from statecore.store.file_damage import Infirmary
from statecore.store.file_formats import file_name
from statecore.store.file_journal import Head, Journal, Step, read_snapshot, replace_lines
from statecore.store.file_keyspace import FileKeyspace
from statecore.store.file_lines import pack_line

JOURNAL, SNAPSHOT = "orchard-state.journal", "orchard-state.snapshot"
COMPACT_BYTES = 1024 * 1024
"""A journal is not compacted before it is so long, and twice as long as the snapshot."""

log = logging.getLogger(__name__)


class History:
    """The steps of a directory, as far as this process has read them."""

    def __init__(self, directory: Path, infirmary: Infirmary) -> None:
        self._journal_path, self._snapshot_path = directory / JOURNAL, directory / SNAPSHOT
        self._infirmary = infirmary
        self._journal: Journal | None = None
        self._lineage, self._in_snapshot = "", 0
        self._compact_at = COMPACT_BYTES
        self.number = 0
        self.is_sound = False
        """Whether all that was read makes sense; else it must be written anew."""

    @property
    def is_open(self) -> bool:
        """Whether it was read, and nothing went wrong since."""
        return self._journal is not None

    @property
    def is_long(self) -> bool:
        """Whether the journal should be compacted."""
        return self._journal is not None and self._journal.read_to > self._compact_at

    @property
    def has_grown(self) -> bool:
        """Whether there are steps that the snapshot does not hold."""
        return self.number > self._in_snapshot

    def has_news(self) -> bool:
        """Whether there is something to read; cheap, and without keeping others out."""
        try:
            return self._journal is None or self._journal.is_behind()
        except OSError:
            return True

    def close(self) -> None:
        """Let go of the journal; the next step begins by reading everything anew."""
        if self._journal:
            self._journal.close()
        self._journal = None

    # -- reading -------------------------------------------------------------------

    def goes_on(self) -> bool:
        """Whether only what is new need be read; perhaps in a new journal, after a compaction."""
        if self._journal and self._journal.is_replaced():
            self.close()
            with suppress(FileNotFoundError):
                journal = self._journal = Journal(self._journal_path)
                if not (journal.head and journal.head[:2] == (self._lineage, self.number)):
                    self.close()
        return self.is_open

    def begin(self, keys: FileKeyspace) -> None:
        """Let ``keys`` hold what the snapshot says, and open the journal."""
        self.close()
        self._lineage, self.number, self._in_snapshot, self.is_sound = "", 0, 0, True
        with suppress(FileNotFoundError):
            head, rows, damaged = read_snapshot(self._snapshot_path)
            keys.load(rows, head.newest_ms)
            self._lineage, self.number, self._in_snapshot = head.lineage, head.number, head.number
            self._judge(self._snapshot_path, damaged)
        try:
            self._journal = Journal(self._journal_path)
        except FileNotFoundError:
            self.is_sound = False
        else:
            self._join(self._journal)

    def _join(self, journal: Journal) -> None:
        """See whether the journal goes on from the snapshot; another one is passed over."""
        head, reason = journal.head, ""
        if head is None:
            reason = "It does not say what it goes on from"
        elif self._lineage not in ("", head.lineage):
            reason = "It does not belong to the snapshot"
            journal.skip()
        else:
            self._lineage = head.lineage
            if head.number > self.number:
                reason = "The snapshot that it goes on from is missing"
        if reason:
            self._set_aside(journal.path, reason)

    def read_on(self, keys: FileKeyspace, *, is_first: bool) -> Step | None:
        """Repeat the steps that are new in the journal; the last of them.

        What the first reading says of unified files is in them already, but for the last step.
        """
        if self._journal is None or not self._journal.is_behind():
            return None
        unpacked, step = self._journal.read_on(), None
        for step in map(Step.read, unpacked.values):
            if step.number > self.number:
                _repeat(step, keys, is_first)
                self.number = step.number
        self._judge(self._journal_path, unpacked.damaged)
        return step

    def _judge(self, path: Path, damaged: list[int]) -> None:
        if damaged:
            lines = ", ".join(map(str, damaged))
            self._set_aside(path, f"Damaged lines were left out: {lines}")

    def _set_aside(self, path: Path, reason: str) -> None:
        self._infirmary.copy(path, reason)
        self.is_sound = False

    # -- writing ---------------------------------------------------------------------

    def append(self, step: Step) -> None:
        """Make a step last: from here on it has happened; or raise, and it has not."""
        if self._journal is None:
            raise StoreUnavailable(f"{self._journal_path} is not open")
        self._journal.append(step.line())
        self.number = step.number

    def compact(self, keys: FileKeyspace) -> None:
        """Write what ``keys`` hold as a snapshot, and begin a new journal.

        When something was left out, a new lineage tells others to read it all.
        """
        lineage = self._lineage if self.is_sound else secrets.token_hex(8)
        head, rows = Head(lineage, self.number, keys.newest_ms), keys.dump(file_name)
        size = replace_lines(self._snapshot_path, [pack_line(head), *map(pack_line, rows)])
        journal = Journal.create(self._journal_path, head)
        self.close()
        self._journal, self._lineage, self._in_snapshot = journal, lineage, self.number
        self._compact_at = max(COMPACT_BYTES, 2 * size)
        self.is_sound = True

    def compact_if_possible(self, keys: FileKeyspace) -> None:
        """Compact; without room for it the journal grows on."""
        try:
            self.compact(keys)
        except OSError as error:
            log.warning("%s could not be compacted: %s", self._journal_path, error)
            self._compact_at *= 2


def _repeat(step: Step, keys: FileKeyspace, is_first: bool) -> None:
    writes = step.writes if is_first else [*step.writes, *step.filed]
    try:
        keys.repeat(step.at_ms, writes)
    except StoreError as error:  # it followed from a line that was damaged
        log.warning("Step %d of the journal could not be repeated: %s", step.number, error)
    for key, deadline in step.deadlines.items():
        keys.put_deadline(key, deadline)
