"""Writing an export, line by line."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from statecore.ports.export_format import FORMAT, VERSION
from statecore.store.file_formats import quoted


class ExportWriter:
    """Writes the parts of an export in their order; what is written is JSON once it is finished."""

    def __init__(self, stream: IO[bytes], exported_at: str, source: str) -> None:
        self._stream, self._hash = stream, hashlib.sha256()
        self._held, self._opens = b"", True
        self.counts: Counter[str] = Counter()
        self._stream_line(b"{")
        head = {
            "format": FORMAT, "version": VERSION, "exportedAt": exported_at, "source": source,
        }  # fmt: skip
        for name, value in head.items():
            self._line(_pair(name, _text(value)))

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        """An object, whose entries are written meanwhile."""
        self._line(_pair(name, b"{"), opens=True)
        yield
        self._line(b"}", closes=True)

    def entry(self, kind: str, name: str, raw: bytes) -> None:
        """One entry; ``raw`` is JSON without line breaks."""
        self.counts[kind] += 1
        self._line(_pair(name, raw))

    def finish(self) -> None:
        """Write how many entries there are, and the checksum over all that stands before it."""
        self._line(_pair("counts", _text(dict(sorted(self.counts.items())))))
        self._flush(b",")
        self._stream.write(_pair("sha256", _text(self._hash.hexdigest())) + b"\n}\n")

    def _line(self, text: bytes, *, opens: bool = False, closes: bool = False) -> None:
        if self._held:
            self._flush(b"" if self._opens or closes else b",")
        self._held, self._opens = text, opens

    def _flush(self, comma: bytes) -> None:
        self._stream_line(self._held + comma)

    def _stream_line(self, line: bytes) -> None:
        self._hash.update(line + b"\n")
        self._stream.write(line + b"\n")


def _pair(name: str, raw: bytes) -> bytes:
    return quoted(name).encode() + b": " + raw


def _text(value: Any) -> bytes:
    return json.dumps(value).encode()
