"""A watched folder: each recording put into it is handed in once, and put away.

The folder is looked at again and again, as shares of other machines tell nobody of changes.
What was handed in goes to ``done``; a hidden file beside it names its job until that has
ended, so that another process can go on where one died.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from django.core.files import File

from orchard.domain import transcripts
from orchard.domain.errors import InvalidInput, OrchardError, UnknownJob
from orchard.domain.jobs import Job, Wishes
from orchard.domain.lifecycle import JobStatus
from orchard.domain.orders import AUDIO, PLAIN, Order
from orchard.services import queries, submissions, uploads
from orchard.services.engine import run

log = logging.getLogger("orchard.watch")

ON_ITS_WAY = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".filepart", "~")
"""How programs end the names of files that they are still writing."""
_JOB = ".job"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is done with the recordings of a folder."""

    folder: Path
    done: Path
    failed: Path
    settle_s: float
    """A file counts as whole when it has not changed for so long."""
    owner: str
    forms: tuple[str, ...] = ()
    """Transcripts that are written beside a recording when its job has ended."""
    use_purifier: bool | None = None
    language: str = ""
    wishes: Wishes | None = None
    order: Order = PLAIN


class _Look(NamedTuple):
    """What a file was like when it was looked at."""

    size: int
    mtime_ns: int


class Watch:
    """One folder that is watched."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._seen: dict[str, tuple[_Look, float]] = {}
        plan.done.mkdir(parents=True, exist_ok=True)
        plan.failed.mkdir(parents=True, exist_ok=True)

    def look(self, at: float) -> None:
        """Hand in what has not changed for long enough, and see which jobs have ended.

        ``at`` is a clock that only goes on, in seconds.

        Raises:
            EngineAway: the engine cannot be reached; nothing is lost by that.
            OSError: the folder cannot be read.
        """
        found = dict(self._files())
        self._seen = {name: seen for name, seen in self._seen.items() if name in found}
        for name, now in sorted(found.items()):
            before, since = self._seen.get(name, (None, at))
            if before != now:
                before, since = now, at
            self._seen[name] = (now, since)
            if now.size and at - since >= self._plan.settle_s:
                self._take(self._plan.folder / name, now)
        for mark in sorted(self._plan.done.glob(f".*{_JOB}")):
            self._follow(mark)

    def _files(self) -> Iterator[tuple[str, _Look]]:
        for entry in os.scandir(self._plan.folder):
            if entry.name.startswith(".") or entry.name.lower().endswith(ON_ITS_WAY):
                continue
            if look := _look_at(Path(entry.path)):
                yield entry.name, look

    def _take(self, path: Path, look: _Look) -> None:
        """Hand one file in; what is not possible now is tried again in the next round."""
        try:
            job = self._submit(path, look)
        except InvalidInput as refused:
            self._put_away_failed(path, path.name, str(refused))
        except FileNotFoundError:
            log.debug("%s is gone", path.name)
        except (OrchardError, OSError) as fault:
            log.warning("%s waits: %s", path.name, fault)
        else:
            if _look_at(path) == look:
                self._put_away(path, job)
            else:  # it grew after all; what was handed in is only a part of it
                run(submissions.remove(job.job_id))

    def _submit(self, path: Path, look: _Look) -> Job:
        plan = self._plan
        with path.open("rb") as stream:
            job, is_new = uploads.submit(
                File(stream, name=path.name), owner=plan.owner, use_purifier=plan.use_purifier,
                language=plan.language, idempotency_key=_key(path, look), wishes=plan.wishes,
                order=plan.order,
            )  # fmt: skip
        if is_new:
            log.info("%s is job %s", path.name, job.job_id)
        return job

    def _put_away(self, path: Path, job: Job) -> None:
        target = _free(self._plan.done, path.name)
        mark = self._plan.done / f".{target.name}{_JOB}"
        mark.write_text(job.job_id)
        try:
            shutil.move(path, target)
        except FileNotFoundError:  # another process watches, too, and was faster
            mark.unlink()

    def _put_away_failed(self, path: Path, name: str, reason: str) -> None:
        target = _free(self._plan.failed, name)
        log.warning("%s failed: %s", name, reason)
        shutil.move(path, target)
        _write(target.with_name(f"{target.name}.txt"), reason + "\n")

    def _follow(self, mark: Path) -> None:
        """See whether a job has ended, and put its transcript beside its recording."""
        path = mark.with_name(mark.name[1 : -len(_JOB)])
        try:
            job = run(submissions.get_record(mark.read_text()))
        except UnknownJob:
            log.warning("%s: its job was deleted or has expired", path.name)
            mark.unlink(missing_ok=True)
            return
        except FileNotFoundError:
            return
        if not job.has_ended:
            return
        if job.status is JobStatus.COMPLETED:
            self._write_transcripts(path, job)
        elif path.exists():
            self._put_away_failed(path, path.name, job.error or f"the job was {job.status}")
        mark.unlink(missing_ok=True)

    def _write_transcripts(self, path: Path, job: Job) -> None:
        if not self._plan.forms or job.job_type != AUDIO:
            return
        transcript = run(queries.get_transcript(job.job_id)).transcript
        for form in self._plan.forms:
            _write(path.with_suffix(f".{form}"), transcripts.render(transcript, form))


def _look_at(path: Path) -> _Look | None:
    """What a file is like; nothing, if it is gone or no plain file."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return _Look(status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None


def _key(path: Path, look: _Look) -> str:
    """The key by which a file is handed in once, whichever process does it, however often."""
    facts = f"{path.resolve()}\0{look.size}\0{look.mtime_ns}"
    return "watch:" + hashlib.sha256(facts.encode("utf-8", "surrogateescape")).hexdigest()


def _free(folder: Path, name: str) -> Path:
    """A name in a folder like the one that is wanted, under which no recording is there yet.

    Transcripts have the name of their recording with another ending, so the rest must differ.
    """
    taken = {stem for entry in os.listdir(folder) for stem in (Path(entry).stem, _marked(entry))}
    wanted, number = Path(name), 2
    path = folder / name
    while path.stem in taken:
        path = folder / f"{wanted.stem} ({number}){wanted.suffix}"
        number += 1
    return path


def _marked(entry: str) -> str:
    """The stem of the recording that a hidden file belongs to; empty, if it is none."""
    is_mark = entry.startswith(".") and entry.endswith(_JOB)
    return Path(entry[1 : -len(_JOB)]).stem if is_mark else ""


def _write(path: Path, text: str) -> None:
    """Write a file, whole or not at all."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, "utf-8")
    beside.replace(path)
