"""Batches of text: each line of a file is worked on, and the results keep their order.

A ``.txt`` file is lines of text, a ``.jsonl`` file one JSON value a line, a ``.csv`` file
rows under a header. Workers get batches as JSON Lines and answer with as many lines.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import Any

import msgspec

from orchard.jobtypes.base import BadResult, Output, Piece, PieceResult, Task, Unacceptable

BATCH_LINES = 200
LINE_MS = 50
"""What a line is expected to cost, in milliseconds."""
LINE_MAX_CHARS = 100_000
BATCH_MAX_CHARS = 500_000
"""An answer may have a million characters."""

_encode = msgspec.json.Encoder().encode


class Text:
    """Lines of text, rows, or JSON values, each worked on by itself."""

    name = "text"
    title = "Text batch"

    def accept(self, task: Task) -> None:
        """Look whether it is text of a known kind, all of it, and something in it.

        Raises:
            Unacceptable: it is not; names the line.
        """
        if not sum(1 for _ in _items(task)):
            raise Unacceptable("there is nothing in it")

    def split(self, task: Task) -> Iterator[Piece]:
        """Batches of lines."""
        for batch in _batches(_encode(item) for item in _items(task)):
            payload = b"".join(line + b"\n" for line in batch)
            yield Piece(payload=payload, cost_ms=LINE_MS * len(batch), facts={"lines": len(batch)})

    def check(self, result: PieceResult) -> None:
        """Look whether there is a JSON value for each line.

        Raises:
            BadResult: there is not.
        """
        lines = _lines(result.text)
        if len(lines) != result.facts["lines"]:
            raise BadResult(f"{len(lines)} lines for {result.facts['lines']}")
        for number, line in enumerate(lines, 1):
            try:
                msgspec.json.decode(line)
            except msgspec.DecodeError as fault:
                raise BadResult(f"line {number} is no JSON: {fault}") from None

    def aggregate(self, task: Task, results: Sequence[PieceResult]) -> Output:
        """All lines, in the order of the file."""
        whole = task.folder / "whole.jsonl"
        with whole.open("w", encoding="utf-8") as stream:
            for result in results:
                stream.writelines(f"{line}\n" for line in _lines(result.text))
        return Output(content=whole, name=f"{PurePath(task.filename).stem}.results.jsonl")


def _items(task: Task) -> Iterator[Any]:
    read = _READERS.get(PurePath(task.filename).suffix.lower())
    if read is None:
        raise Unacceptable(f"not a text batch; allowed: {', '.join(_READERS)}")
    with task.path.open("r", encoding="utf-8-sig", newline="") as stream:
        try:
            yield from read(stream)
        except UnicodeDecodeError:
            raise Unacceptable("it is not UTF-8 text") from None


def _text_lines(stream: io.TextIOBase) -> Iterator[str]:
    """The lines that are not blank; one is read no further than its limit."""
    number = 0
    while line := stream.readline(LINE_MAX_CHARS + 1):
        number += 1
        if len(line) > LINE_MAX_CHARS:
            raise Unacceptable(f"line {number} has more than {LINE_MAX_CHARS} characters")
        if line.strip():
            yield line.rstrip("\r\n")


def _json_lines(stream: io.TextIOBase) -> Iterator[Any]:
    for number, line in enumerate(_text_lines(stream), 1):
        try:
            yield msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError) as fault:
            raise Unacceptable(f"value {number} is no JSON: {fault}") from None


def _rows(stream: io.TextIOBase) -> Iterator[dict[str, str]]:
    rows = csv.DictReader(stream, restkey="", restval="", strict=True)
    try:
        for row in rows:
            if "" in row:
                raise Unacceptable(f"line {rows.line_num} has more cells than the header")
            yield row
    except csv.Error as fault:
        raise Unacceptable(f"line {rows.line_num}: {fault}") from None


_READERS = {".txt": _text_lines, ".jsonl": _json_lines, ".csv": _rows}


def _lines(text: str) -> list[str]:
    # Not splitlines(): JSON may hold other separators, which are no ends of lines in a file.
    return text.rstrip("\n").split("\n") if text.strip() else []


def _batches(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Up to so many lines, and so many characters, at a time."""
    batch: list[bytes] = []
    size = 0
    for line in lines:
        if batch and (len(batch) == BATCH_LINES or size + len(line) > BATCH_MAX_CHARS):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line)
    if batch:
        yield batch
