"""Taking over the state directories of older systems, once, whatever dies meanwhile.

Everything is put into the engine first; the flag is set in the last commit; only
then are files renamed. Whoever comes after a process that died goes on from there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from statecore.domain.errors import InvalidInput
from statecore.legacy_files import Note, Plan, has_old_files, move_aside, read_directory
from statecore.repository import epoch_ms
from statecore.services import recorded
from statecore.services.migration_flag import OURS, files_of, read_flag, set_flag, start
from statecore.services.migration_reports import FileReport, Report, report_files
from statecore.services.recorded import Outcome, Recorded
from statecore.services.turns import one_at_a_time
from statecore.store.base import Store
from statecore.store.file_history import JOURNAL
from statecore.store.steps import Steps

TURN = "state-migration"
log = logging.getLogger(__name__)

_OTHER_STATE = (
    "label requests, processes and histories of the file store stay there;"
    " export_state --state-dir and import_state move them as well"
)

Progress = Callable[[str, int, int], None]
"""Told of each portion: what is being done, how much of it is done, of how much."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a directory is taken over."""

    dry_run: bool = False
    verify: bool = False
    force: bool = False
    """Do it again, although it was done."""
    overwrite: bool = False
    """Let the files have the say where the engine has another value."""


class NotVerified(Exception):
    """The engine does not hold what was put into it; no file was renamed."""


def quiet(what: str, done: int, total: int) -> None:
    """Tell nobody."""


def migrate(
    store: Store, directory: Path, options: Options | None = None, progress: Progress = quiet
) -> Report:
    """Take over a state directory, unless that was done; what became of each file.

    Raises:
        LockTimeout: another process is doing it.
        NotVerified: with ``verify``, something is not there as it was put.
        OSError: the directory cannot be read, or a file not renamed.
    """
    options = options or Options()
    if options.dry_run:
        return _Migration(store, directory, options, progress).run()
    with one_at_a_time(store, TURN) as keep_turn:

        def go_on(what: str, done: int, total: int) -> None:
            keep_turn()
            progress(what, done, total)

        return _Migration(store, directory, options, go_on).run()


def migrate_at_first_start(
    store: Store, directory: Path, progress: Progress = quiet
) -> Report | None:
    """Take over a directory when it holds old files and that was not done; else ``None``.

    Files that are left are logged. Processes that start at the same time wait
    for the one that does it. When it was done and its files are there again, the
    report says whether they have changed.

    Raises: see :func:`migrate`.
    """
    if not has_old_files(directory, with_unified=not _is_home(store, directory)):
        return None
    flag = store.run(read_flag())
    if flag is not None and not _left_to_rename(store, directory, flag):
        return None
    report = migrate(store, directory, Options(), progress)
    log.info("State files of %s: %s", directory, report.outcome)
    for one in report.left:
        log.warning("%s stays: %s", directory / one.file, one.why)
    return None if report.outcome == "already" and not report.files else report


class _Migration:
    """One run over a directory."""

    def __init__(self, store: Store, directory: Path, options: Options, progress: Progress) -> None:
        self._store, self._directory = store, directory
        self._options, self._progress = options, progress
        self._keeps_files = store.name == "memory"
        self._notes: list[Note] = []

    def run(self) -> Report:
        flag = self._store.run(read_flag())
        if flag is not None and not self._options.force:
            return self._report("already", self._finish(flag))
        with_unified = not _is_home(self._store, self._directory)
        plan = read_directory(self._directory, with_unified=with_unified)
        self._notes += plan.notes
        if with_unified and (self._directory / JOURNAL).exists():
            self._notes.append(Note(file=JOURNAL, key="", what=_OTHER_STATE))
        if not plan.files:
            return self._report("nothing", [], plan)
        entries = list(self._check(plan))
        if self._options.dry_run:
            outcome = self._each(entries, "comparing", self._compare)
            return self._report("dry-run", self._tell(plan, outcome), plan)
        outcome = self._write(entries)
        files = self._tell(plan, outcome)
        counts = {"entries": sum(one.new + one.equal for one in files), "requests": plan.requests}
        complete = {one.file: one.sha256 for one in files if one.is_complete}
        self._store.run(set_flag(counts, complete))
        return self._report("migrated", self._rename(files), plan)

    def _check(self, plan: Plan) -> Iterator[Recorded]:
        for one in plan.entries:
            if (one.namespace, one.key) in OURS:
                what = "is for this migration to say, not for the files"
                self._notes.append(Note(file=one.file, key=one.key, what=what))
                continue
            try:
                yield recorded.check(one.namespace, one.key, one.raw)
            except InvalidInput as fault:
                note = Note(file=one.file, key=one.key, what=str(fault), is_refused=True)
                self._notes.append(note)

    # -- writing ------------------------------------------------------------------

    def _write(self, entries: list[Recorded]) -> Outcome:
        started = self._store.run(start())

        def put(batch: list[Recorded]) -> Steps[Outcome]:
            overwrite = self._options.overwrite
            return recorded.put_batch(batch, overwrite=overwrite, not_above=started)

        outcome = self._each(entries, "writing", put)
        if self._options.verify:
            self._verify(entries, outcome)
        return outcome

    def _verify(self, entries: list[Recorded], written: Outcome) -> None:
        """Read everything back; what the engine was left to have is not looked at."""
        left = set(written.kept)
        expected = [one for one in entries if one.place not in left]
        found = self._each(expected, "verifying", recorded.compare)
        if wrong := [*found.new, *found.kept, *found.replaced]:
            shown = ", ".join("/".join(place) for place in wrong[:5])
            raise NotVerified(
                f"{len(wrong)} of {len(expected)} entries are not as they were put: {shown};"
                " no file was renamed, run it again"
            )

    def _compare(self, batch: list[Recorded]) -> Steps[Outcome]:
        return recorded.compare(batch, overwrite=self._options.overwrite)

    def _each(
        self, entries: list[Recorded], what: str, do: Callable[[list[Recorded]], Steps[Outcome]]
    ) -> Outcome:
        outcome, done = Outcome(), 0
        for batch in recorded.batches(entries):
            self._progress(what, done, len(entries))
            outcome += self._store.run(do(batch))
            done += len(batch)
        self._progress(what, done, len(entries))
        return outcome

    # -- files ----------------------------------------------------------------------

    def _tell(self, plan: Plan, outcome: Outcome) -> list[FileReport]:
        source = {(one.namespace, one.key): one.file for one in plan.entries}
        for place in outcome.kept:
            what = "the engine has another value, which stays"
            self._notes.append(Note(file=source[place], key=place[1], what=what))
        return report_files(plan, outcome, self._notes)

    def _finish(self, flag: dict[str, Any]) -> list[FileReport]:
        """Rename what a process that died had not renamed yet."""
        if self._options.dry_run:
            return []
        files = [
            FileReport(file=name, kind="", sha256=digest)
            for name, digest in files_of(flag).items()
            if (self._directory / name).exists()
        ]
        return self._rename(files)

    def _rename(self, files: list[FileReport]) -> list[FileReport]:
        return [self._renamed(one, i, len(files)) for i, one in enumerate(files)]

    def _renamed(self, one: FileReport, place: int, total: int) -> FileReport:
        if not one.is_complete or self._keeps_files:
            return one
        self._progress("renaming", place, total)
        at_ms = epoch_ms(self._store.now())
        new_name = move_aside(self._directory / one.file, one.sha256, at_ms)
        if new_name is None:
            why = "it has changed since it was read; run it again with --force"
            return msgspec.structs.replace(one, why=why)
        return msgspec.structs.replace(one, renamed_to=new_name)

    def _report(self, outcome: str, files: list[FileReport], plan: Plan | None = None) -> Report:
        return Report(
            state_dir=str(self._directory), store=self._store.name, outcome=outcome, files=files,
            notes=self._notes, requests=plan.requests if plan else 0,
            unknown=list(plan.unknown) if plan else [],
        )  # fmt: skip


def _left_to_rename(store: Store, directory: Path, flag: dict[str, Any]) -> bool:
    is_moved = store.name != "memory"
    return is_moved and any((directory / name).exists() for name in files_of(flag))


def _is_home(store: Store, directory: Path) -> bool:
    """Whether a directory is where the store itself keeps its files."""
    home = getattr(store, "directory", None)
    return isinstance(home, Path) and home.resolve() == directory.resolve()
