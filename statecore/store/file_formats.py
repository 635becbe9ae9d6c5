"""The contract's state files: ``unified-{namespace}.json``, and the JSON in them.

A value keeps every digit and every character that it came with: only white
space and the spelling of strings are made uniform. So a number that no machine
can hold is the same number afterwards, and Japanese stays readable.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn
from urllib.parse import unquote

from statecore.store.errors import StoreError

PREFIX = "poppo:state:"
"""Hashes with such keys are namespaces and have a file each."""

LONGEST_NAME = 200
"""Bytes that a namespace may need in a file name; what a file is called besides needs the rest."""

_FILE = re.compile(r"unified-(.*)\.json", re.DOTALL)
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|%\ud800-\udfff]|^\.')
_PART = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},:]|[^\s\[\]{},:"]+')
_HALF = re.compile("[\ud800-\udfff]")


class NotJson(StoreError):
    """A value of a namespace must be JSON."""


# -- names ----------------------------------------------------------------------


def file_name(key: str) -> str | None:
    """The file of a namespace; ``None`` for other keys, and for names too long for a file."""
    if not key.startswith(PREFIX):
        return None
    namespace = _UNSAFE.sub(_quoted, key[len(PREFIX) :])
    if len(namespace.encode()) > LONGEST_NAME:
        return None
    return f"unified-{namespace}.json"


def key_of(name: str) -> str | None:
    """The namespace that a file holds; ``None`` when its name is none that we would give."""
    match = _FILE.fullmatch(name)
    key = PREFIX + unquote(match[1], errors="surrogateescape") if match else None
    return key if key is not None and file_name(key) == name else None


def _quoted(match: re.Match[str]) -> str:
    raw = match[0].encode("utf-8", "surrogateescape")
    return "".join(f"%{byte:02X}" for byte in raw)


# -- values ---------------------------------------------------------------------


def compact(raw: bytes) -> bytes:
    """A JSON text without white space and with as few escapes as possible.

    Raises:
        NotJson: it is no JSON, or says ``NaN``, ``Infinity`` or a name twice in an object.
    """
    return "".join(_parts(_checked(raw)[0])).encode()


def read_entries(raw: bytes) -> dict[str, bytes]:
    """The entries of a state file, each value as :func:`compact` has it.

    Raises:
        NotJson: it is not one JSON object.
    """
    text, whole = _checked(raw.removeprefix(b"\xef\xbb\xbf"))
    if not isinstance(whole, dict):
        raise NotJson("It is not a JSON object")
    found: dict[str, list[str]] = {}
    name, value, depth = "", list[str](), 0
    for part in list(_parts(text))[1:]:
        if depth == 0 and part.startswith('"') and name == "":
            name = part
            found[json.loads(name)] = value = []
        elif depth == 0 and part in (",", "}"):
            name = ""
        elif not (depth == 0 and part == ":"):
            depth += (part in ("[", "{")) - (part in ("]", "}"))
            value.append(part)
    return {key: "".join(parts).encode() for key, parts in found.items()}


def _checked(raw: bytes) -> tuple[str, Any]:
    """A JSON text, and its value with all numbers as text: none is too big for that."""
    try:
        text = raw.decode()
        value = json.loads(
            text,
            parse_int=str,
            parse_float=str,
            parse_constant=_refuse_constant,
            object_pairs_hook=_without_twins,
        )
    except (ValueError, RecursionError) as error:
        raise NotJson(f"Not JSON: {error}") from error
    return text, value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object has a name twice")
    return found


def _parts(text: str) -> Iterator[str]:
    return (_plain(part) if "\\" in part else part for part in _PART.findall(text))


def _plain(part: str) -> str:
    return quoted(json.loads(part))


def quoted(text: str) -> str:
    """A text in JSON, unescaped but for what must be: half characters among others."""
    return _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", json.dumps(text, ensure_ascii=False))


# -- the look of a file ------------------------------------------------------------


def entry_text(name: str, value: bytes) -> bytes:
    """An entry as it stands in its file, indented by two."""
    return f"  {quoted(name)}: {_indented(value.decode())}".encode()


def file_text(entries: list[bytes]) -> bytes:
    """A state file of these entries."""
    return b"{\n" + b",\n".join(entries) + b"\n}" if entries else b"{}"


def _indented(text: str) -> str:
    parts, depth, before = [], 1, ""
    for part in _PART.findall(text):
        closes, opened = part in ("]", "}"), before in ("[", "{")
        depth -= closes
        if before == "," or closes != opened:
            parts.append("\n" + "  " * depth)
        parts.append(": " if part == ":" else part)
        depth += part in ("[", "{")
        before = part
    return "".join(parts)
