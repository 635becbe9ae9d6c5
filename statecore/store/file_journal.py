"""The journal of the file store: a line for each step, appended and flushed; and its snapshot."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from statecore.store import ops
from statecore.store.file_disk import is_file, sync_directory, write_all, write_file
from statecore.store.file_formats import file_name
from statecore.store.file_keyspace import FileKeyspace
from statecore.store.file_lines import Unpacked, pack_line, row_of, unpack_lines, write_of


class Step(NamedTuple):
    """What happened in one step: writes, apart for keys without and with a file of their own."""

    number: int
    at_ms: int
    writes: list[ops.Write]
    filed: list[ops.Write]
    deadlines: dict[str, int | None]
    """When the keys of ``filed`` expire afterwards."""

    @classmethod
    def of(cls, number: int, keys: FileKeyspace) -> Step:
        """The step of the writes that are noted in ``keys``."""
        writes: list[ops.Write] = []
        filed: list[ops.Write] = []
        for write in keys.noted:
            for each in _single(write):
                (filed if file_name(each.key) else writes).append(each.write)
        touched = dict.fromkeys(each.key for write in filed for each in _single(write))
        deadlines = {key: keys.deadline(key) for key in touched}
        return cls(number, keys.moment.ms, writes, filed, deadlines)

    def line(self) -> bytes:
        """The step as a line."""
        number, at_ms, writes, filed, deadlines = self
        rows = [*map(row_of, writes)], [*map(row_of, filed)]
        return pack_line([number, at_ms, *rows, deadlines])

    @classmethod
    def read(cls, row: list[Any]) -> Step:
        """The step that a line told of."""
        number, at_ms, writes, filed, deadlines = row
        return cls(number, at_ms, [*map(write_of, writes)], [*map(write_of, filed)], deadlines)


class _OnOneKey(NamedTuple):
    key: str
    write: ops.Write


def _single(write: ops.Write) -> list[_OnOneKey]:
    if isinstance(write, ops.Delete):
        return [_OnOneKey(key, ops.Delete((key,))) for key in write.keys]
    return [_OnOneKey(write.key, write)]


class Head(NamedTuple):
    """The first line of a journal or snapshot."""

    lineage: str
    """Who has it in common with another tells of the same steps."""
    number: int
    """The last step that the snapshot holds, and that the journal goes on from."""
    newest_ms: int


class Journal:
    """An open journal; what it says up to ``read_to`` is known."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            FileNotFoundError: there is none.
        """
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        self.head, self.read_to = self._read_head()
        self._lines = 1 if self.head else 0

    def _read_head(self) -> tuple[Head | None, int]:
        """The head and where it ends; ``None`` when it is damaged, to be met as a damaged line."""
        first, newline, _ = os.pread(self._file, 1000, 0).partition(b"\n")
        head = _head_of(unpack_lines(first + newline).values)
        return head, len(first) + 1 if head else 0

    @classmethod
    def create(cls, path: Path, head: Head) -> Journal:
        """Begin a new one, in the place of the old one if there is one."""
        replace_lines(path, [pack_line(head)])
        return cls(path)

    def is_behind(self) -> bool:
        """Whether somebody has appended; told without a lock, so it may be a line not done yet."""
        return self.is_replaced() or os.fstat(self._file).st_size != self.read_to

    def is_replaced(self) -> bool:
        """Whether this is not the journal any more, or was cut."""
        return not is_file(self._file, self.path) or os.fstat(self._file).st_size < self.read_to

    def read_on(self) -> Unpacked:
        """Read what is new; a line that was never written to its end is cut off."""
        size = os.fstat(self._file).st_size
        new = os.pread(self._file, size - self.read_to, self.read_to)
        values, damaged, read = unpack_lines(new)
        self.read_to += read
        if self.read_to < size:
            os.ftruncate(self._file, self.read_to)
        known, self._lines = self._lines, self._lines + len(values) + len(damaged)
        return Unpacked(values, [known + number for number in damaged], read)

    def append(self, line: bytes) -> None:
        """Append a line and make it last; or leave the journal as it was, and raise."""
        try:
            write_all(self._file, line)
            os.fsync(self._file)
        except BaseException:
            os.ftruncate(self._file, self.read_to)
            raise
        self.read_to += len(line)
        self._lines += 1

    def skip(self) -> None:
        """Pass over what it says."""
        self.read_to = os.fstat(self._file).st_size

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def replace_lines(path: Path, lines: list[bytes]) -> int:
    """Put a file of these lines in the place of another, or of none; its size in bytes."""
    new, data = path.with_name(path.name + ".tmp"), b"".join(lines)
    write_file(new, data)
    os.replace(new, path)
    sync_directory(path.parent)
    return len(data)


def read_snapshot(path: Path) -> tuple[Head, list[Any], list[int]]:
    """The head of a snapshot, its rows, and the numbers of lines that are damaged.

    It is only written as a whole, so a torn line is damaged as well.
    """
    data = path.read_bytes()
    rows, damaged, size = unpack_lines(data)
    if size < len(data) or not data:
        damaged.append(len(rows) + len(damaged) + 1)
    head = None if 1 in damaged else _head_of(rows)
    if head is None:
        return Head("", 0, 0), rows, damaged or [1]
    return head, rows[1:], damaged


def _head_of(rows: list[Any]) -> Head | None:
    is_head = bool(rows) and len(rows[0]) == len(Head._fields) and isinstance(rows[0][0], str)
    return Head(*rows[0]) if is_head else None
