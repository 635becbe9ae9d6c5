"""A state directory: keys in memory that are what its files say, and steps that last.

A step has happened when its line is in the journal. Unified files that it changes
are written beside their places before, and put there afterwards; whoever comes
next, perhaps because this process was killed in between, finishes that first.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from statecore.store.errors import StoreError
from statecore.store.file_damage import Infirmary
from statecore.store.file_disk import locked, sync_directory
from statecore.store.file_history import History
from statecore.store.file_journal import Step
from statecore.store.file_keyspace import FileKeyspace
from statecore.store.file_unified import UnifiedFiles

LOCK = "orchard-state.lock"

T = TypeVar("T")
log = logging.getLogger(__name__)


class StateDirectory:
    """The files of one directory, shared with other processes; not for several threads at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.infirmary = Infirmary()
        self.keys = FileKeyspace()
        self._history = History(path, self.infirmary)
        self._files = UnifiedFiles(path, self.infirmary.move)

    @contextmanager
    def opened(self, now_ms: int) -> Iterator[FileKeyspace]:
        """The keys as they are at ``now_ms``, with all other processes kept out."""
        with locked(self.path / LOCK):
            try:
                self._refresh()
            except BaseException:
                self._history.close()
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
                self._history.close()
            raise
        return reply

    def has_news(self) -> bool:
        """Whether another process has written to the journal; cheap, and without keeping it out."""
        return self._history.has_news()

    def close(self) -> None:
        """Leave a snapshot, if there is room for one, and let go of the files."""
        if self._history.is_open and self.path.is_dir():
            with suppress(OSError, StoreError), self.opened(0):
                if self._history.has_grown:
                    self._history.compact(self.keys)
        self._history.close()

    def _refresh(self) -> None:
        """Read what is new; all of it, when what was read before does not hold any more."""
        is_first = not self._history.goes_on()
        if is_first:
            self.keys = FileKeyspace()
            self._files = UnifiedFiles(self.path, self.infirmary.move)
            self._history.begin(self.keys)
        if step := self._history.read_on(self.keys, is_first=is_first):
            self._finish(step)
        if is_first:
            self._files.clean_up()
        self._files.refresh(self.keys)
        if is_first:
            self.keys.drop_vain_deadlines()
        if not self._history.is_sound:
            self._history.compact(self.keys)

    def _keep(self) -> None:
        """Make the writes that were noted a step that lasts."""
        step = Step.of(self._history.number + 1, self.keys)
        try:
            for key in step.deadlines:
                self._files.prepare(key, self.keys.fields(key), step.number)
            if step.deadlines:
                sync_directory(self.path)
            self._history.append(step)
        except BaseException:
            self._files.drop_prepared(step.deadlines, step.number)
            raise
        self.keys.noted.clear()
        try:
            self._finish(step)
        except OSError as error:  # it has happened all the same: the next one finishes it first
            log.warning("Step %d in %s is not finished yet: %s", step.number, self.path, error)
            self._history.close()
        if self._history.is_long:
            self._history.compact_if_possible(self.keys)

    def _finish(self, step: Step) -> None:
        """Put the unified files of the last step in place."""
        finished = [self._files.finish(key, step.number) for key in step.deadlines]
        if any(finished):
            sync_directory(self.path)
