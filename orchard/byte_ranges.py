"""Parts of files: the byte ranges that a browser asks for when somebody jumps in a recording."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import IO

BLOCK = 256 * 1024
"""Bytes that are read and sent at once."""

_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


class Unsatisfiable(ValueError):
    """The range begins behind the end of the file (RFC 9110 section 14.4)."""


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte of the one range asked for; ``None`` stands for the whole file.

    Several ranges at once, other units, and what is no range are answered
    with the whole file, as RFC 9110 section 14.2 allows.

    Raises:
        Unsatisfiable: the file has no such bytes.
    """
    match = _RANGE.fullmatch(header.strip().replace(" ", ""))
    if match is None or match.groups() == ("", ""):
        return None
    begin, end = match.groups()
    if not begin:
        first, last = max(0, size - int(end)), size - 1
    else:
        first, last = int(begin), min(int(end), size - 1) if end else size - 1
    if end and begin and int(end) < int(begin):
        return None
    if first >= size or (not begin and int(end) == 0):
        raise Unsatisfiable(header)
    return first, last


class Blocks:
    """Bytes of a file, each block read off the event loop; closed with the answer, read or not."""

    def __init__(self, stream: IO[bytes], first: int = 0, last: int | None = None) -> None:
        self._stream = stream
        self._left = None if last is None else last - first + 1
        self.close = stream.close
        stream.seek(first)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        most = BLOCK if self._left is None else min(BLOCK, self._left)
        block = await asyncio.to_thread(self._stream.read, most) if most else b""
        if not block:
            raise StopAsyncIteration
        if self._left is not None:
            self._left -= len(block)
        return block
