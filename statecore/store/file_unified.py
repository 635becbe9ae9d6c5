"""The unified files of a directory, and what we know of each."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from statecore.store.file_disk import write_file
from statecore.store.file_formats import (
    NotJson,
    entry_text,
    file_name,
    file_text,
    key_of,
    read_entries,
)
from statecore.store.file_keyspace import FileKeyspace

PATIENCE_S = 0.3
"""How long a file that makes no sense is given: an editor may be in the middle of writing it."""


class Mark(NamedTuple):
    """How to tell that a file is another one, or has other content, than last time."""

    changed_ns: int
    size: int
    inode: int


class UnifiedFiles:
    """Namespaces as files; a change is prepared beside its file and put in place later."""

    def __init__(self, directory: Path, set_aside: Callable[[Path, str], None]) -> None:
        self._directory = directory
        self._set_aside = set_aside
        self._marks: dict[str, Mark] = {}
        self._prepared: dict[str, Mark] = {}
        self._texts: dict[str, dict[str, tuple[bytes, bytes]]] = {}

    # -- reading ----------------------------------------------------------------

    def refresh(self, keys: FileKeyspace) -> None:
        """Let ``keys`` hold what the files say, whoever has written them."""
        found = self._look()
        for key in self._marks.keys() - found.keys():
            del self._marks[key]
            keys.put_fields(key, {})
        for key, mark in found.items():
            if mark != self._marks.get(key):
                self._marks[key] = mark
                self._read(key, keys)

    def _look(self) -> dict[str, Mark]:
        found = {}
        with os.scandir(self._directory) as entries:
            for entry in entries:
                key = key_of(entry.name)
                if key is not None and entry.is_file():
                    found[key] = _mark(entry.stat())
        return found

    def _read(self, key: str, keys: FileKeyspace) -> None:
        path, stop = self._path(key), time.monotonic() + PATIENCE_S
        while True:
            data = path.read_bytes()
            if data == self._text(key, keys.fields(key)):
                return
            try:
                return keys.put_fields(key, read_entries(data))
            except NotJson as error:
                if time.monotonic() > stop:
                    del self._marks[key]
                    self._set_aside(path, str(error))
                    return keys.put_fields(key, {})
            time.sleep(0.02)

    # -- writing ----------------------------------------------------------------

    def prepare(self, key: str, fields: dict[str, bytes], number: int) -> None:
        """Write what a namespace holds beside its file, in step ``number``."""
        path, new = self._path(key), self._beside(key, number)
        if not fields and key not in self._marks:
            return new.unlink(missing_ok=True)
        mode = stat.S_IMODE(path.stat().st_mode) if key in self._marks else 0o600
        self._prepared[key] = _mark(write_file(new, self._text(key, fields), mode))

    def drop_prepared(self, keys: Iterable[str], number: int) -> None:
        """Forget what was prepared for a step that did not happen."""
        self._prepared.clear()
        for key in keys:
            self._beside(key, number).unlink(missing_ok=True)

    def finish(self, key: str, number: int) -> bool:
        """Put what was prepared in step ``number`` in place, by whatever process; if it was."""
        path, new = self._path(key), self._beside(key, number)
        if not new.exists():
            return False
        _keep_backup(path)
        os.replace(new, path)
        if key in self._prepared:
            self._marks[key] = self._prepared.pop(key)
        return True

    def clean_up(self) -> None:
        """Delete what was prepared for steps that never happened."""
        for left in self._directory.glob("unified-*.json.*.tmp"):
            left.unlink(missing_ok=True)

    # -- names and texts -----------------------------------------------------------

    def _path(self, key: str) -> Path:
        return self._directory / str(file_name(key))

    def _beside(self, key: str, number: int) -> Path:
        return self._directory / f"{file_name(key)}.{number}.tmp"

    def _text(self, key: str, fields: dict[str, bytes]) -> bytes:
        """The file of a namespace; entries that stay the same are not laid out again."""
        before = self._texts.get(key, {})
        texts = {}
        for name, value in fields.items():
            known = before.get(name)
            is_same = known is not None and known[0] == value
            texts[name] = known if known and is_same else (value, entry_text(name, value))
        self._texts[key] = texts
        return file_text([text for _, text in texts.values()])


def _mark(found: os.stat_result) -> Mark:
    return Mark(found.st_mtime_ns, found.st_size, found.st_ino)


def _keep_backup(path: Path) -> None:
    """Let the backup be what the file is now; both are there at every moment."""
    link = path.with_name(path.name + ".backup.tmp")
    link.unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        os.link(path, link)
        os.replace(link, path.with_name(path.name + ".backup"))
        link.unlink(missing_ok=True)  # it is still there when both were the same file
