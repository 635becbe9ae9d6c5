"""Reading an export: first whether it is whole and unaltered, then entry by entry."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from statecore.ports.export_format import (
    CHECKSUM,
    FORMAT,
    LINE_MAX,
    NAMESPACES,
    SECTIONS,
    BadExport,
    Head,
    Row,
    check_version,
)
from statecore.ports.sealed_files import EXPORT, open_file
from statecore.sealing.faults import SealFault

_decode = json.JSONDecoder()
_HEAD = ("format", "version", "exportedAt", "source")


class ExportFile:
    """An export on the disk, perhaps packed with gzip, perhaps sealed for a place.

    All that reads raises:
        BadExport: it is cut off, altered, of a newer version, or no export; says which.
        OSError: it cannot be read.
    """

    def __init__(self, path: Path, place: str = EXPORT) -> None:
        self.path, self.place = path, place

    def check_frame(self) -> Head:
        """What it says of itself, when it is whole and unaltered."""
        digest, held, head = hashlib.sha256(), list[bytes](), list[bytes]()
        with _unpacked(self.path, self.place) as lines:
            for line in lines:
                if len(head) <= len(_HEAD):
                    head.append(line)
                    _look_at_head(head)
                held.append(line)
                if len(held) > 2:
                    digest.update(held.pop(0))
        checksum = CHECKSUM.fullmatch(held[-2].strip()) if len(held) == 2 else None
        if checksum is None or held[-1] != b"}\n":
            raise BadExport("it is cut off: its end is missing")
        if checksum[1].decode() != digest.hexdigest():
            raise BadExport("it was altered: its checksum does not fit")
        return _look_at_head(head)

    def rows(self) -> Iterator[Row]:
        """Its entries in order; each name once, and as many as it says."""
        with _unpacked(self.path, self.place) as lines:
            reader = _Rows()
            for number, line in enumerate(lines, start=1):
                try:
                    row = reader.read(line, number)
                except (ValueError, RecursionError) as fault:
                    raise BadExport(f"line {number}: {fault}") from None
                if row:
                    yield row
        reader.check_end()


class _Pair(NamedTuple):
    name: str
    raw: str


class _Rows:
    """Where in the document a reader is."""

    def __init__(self) -> None:
        self._path: list[str] = []
        self._names: list[set[str]] = [set()]
        self._counts: Counter[str] = Counter()
        self._told: Any = None

    def read(self, line: bytes, number: int) -> Row | None:
        """The entry on a line, if there is one.

        Raises:
            ValueError: the line does not belong there.
        """
        text = line.decode().rstrip("\n").removesuffix(",")
        if number == 1 or text == "}":
            self._step_out(text, number)
            return None
        name, raw = _split(text)
        if not self._names:
            raise ValueError("nothing is expected here")
        if name in self._names[-1]:
            raise ValueError(f"the key {name!r} stands there twice")
        self._names[-1].add(name)
        if raw == "{":
            self._step_in(name)
            return None
        return self._pair(name, raw, number)

    def _step_in(self, name: str) -> None:
        deepest = 2 if self._path[:1] == [NAMESPACES] else 1
        if len(self._path) >= deepest or (not self._path and name not in SECTIONS):
            raise ValueError(f"the object {name!r} does not belong here")
        self._path.append(name)
        self._names.append(set())

    def _step_out(self, text: str, number: int) -> None:
        if number == 1:
            if text != "{":
                raise ValueError("a document begins with {")
        elif text != "}" or not self._names:
            raise ValueError("nothing is expected here")
        else:
            self._names.pop()
            if self._path:
                self._path.pop()

    def _pair(self, name: str, raw: str, number: int) -> Row | None:
        if not self._path:
            if name == "counts":
                self._told = json.loads(raw)
            elif name not in (*_HEAD, "sha256"):
                raise ValueError(f"{name!r} is nothing that an export says")
            return None
        if self._path == [NAMESPACES]:
            raise ValueError("a namespace must be an object")
        section, namespace = self._path[0], "".join(self._path[1:])
        self._counts["entries" if namespace or section == NAMESPACES else section] += 1
        return Row(section, namespace, name, raw.encode(), number)

    def check_end(self) -> None:
        """Refuse a document that is not closed, or says other counts than it has.

        Raises:
            BadExport: it is.
        """
        if self._names or self._path:
            raise BadExport("it is cut off: its end is missing")
        if self._told != dict(self._counts):
            raise BadExport(f"it says {self._told} and holds {dict(self._counts)}")


def _look_at_head(lines: list[bytes]) -> Head:
    """What the first lines say, as far as they are known."""
    if lines[0] != b"{\n":
        raise BadExport("it is no export of this program")
    found: dict[str, Any] = {}
    for name, line in zip(_HEAD, lines[1:], strict=False):
        pair = _head_pair(line)
        if pair is None or pair.name != name:
            raise BadExport(f"it is no export of this program: it does not say its {name}")
        found[name] = json.loads(pair.raw)
        if name == "format" and found[name] != FORMAT:
            raise BadExport(f"it is no export of this program, but {str(found[name])[:50]!r}")
        if name == "version":
            check_version(found[name])
    at, source = found.get("exportedAt"), found.get("source")
    return Head(found.get("version", 0), str(at), str(source))


def _head_pair(line: bytes) -> _Pair | None:
    try:
        pair = _split(line.decode().rstrip("\n").removesuffix(","))
        json.loads(pair.raw)
    except (ValueError, RecursionError):
        return None
    return pair


def _split(text: str) -> _Pair:
    """Name and value of a line.

    Raises:
        ValueError: it has none.
    """
    name, end = _decode.raw_decode(text) if text.startswith('"') else ("", 0)
    if text[end : end + 2] != ": ":
        raise ValueError("a name and a value are expected here")
    return _Pair(name, text[end + 2 :])


@contextmanager
def _unpacked(path: Path, place: str) -> Iterator[Iterator[bytes]]:
    """The lines of a file, packed or not, sealed or not."""
    try:
        with open_file(path, place) as file:
            is_packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if not is_packed:
                yield _lines(file)
                return
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield _lines(cast("IO[bytes]", unpacked))
    except SealFault as fault:
        raise BadExport(f"its seal: {fault}") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
        raise BadExport(f"it is cut off or damaged: {fault}") from None


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    while line := stream.readline(LINE_MAX + 1):
        if len(line) > LINE_MAX:
            raise BadExport(f"it has a line of more than {LINE_MAX} bytes")
        yield line
