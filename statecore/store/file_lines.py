"""Lines of the file store's own files: JSON with a checksum in front; and writes as JSON.

Bytes that are no UTF-8 stay as they are: the files are text for people, and
exact for us.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from statecore.store import ops
from statecore.store.checks import decode, encode
from statecore.store.errors import StoreError


def pack_line(value: Any) -> bytes:
    """A value as a line.

    Raises:
        StoreError: a name in it holds half a character.
    """
    body = encode(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    return b"%08x %b\n" % (zlib.crc32(body), body)


class Unpacked(NamedTuple):
    """What lines say."""

    values: list[Any]
    damaged: list[int]
    """Numbers of the lines, from one, whose checksum does not fit."""
    size: int
    """Bytes up to the end of the last whole line; what follows was never written to its end."""


def unpack_lines(data: bytes) -> Unpacked:
    """Read lines; one that is not whole at the end is left out."""
    lines = data.split(b"\n")
    torn = lines.pop()
    values, damaged = [], []
    for number, line in enumerate(lines, start=1):
        checksum, _, body = line.partition(b" ")
        if checksum == b"%08x" % zlib.crc32(body):
            values.append(json.loads(decode(body)))
        else:
            damaged.append(number)
    return Unpacked(values, damaged, len(data) - len(torn))


# -- writes -----------------------------------------------------------------------


def row_of(write: ops.Write) -> list[Any]:
    """A write as JSON."""
    fields = (getattr(write, name) for name in write.__struct_fields__)
    return [type(write).__name__, *map(_plain, fields)]


def write_of(row: list[Any]) -> ops.Write:
    """The write that :func:`row_of` told of."""
    return _WRITES[row[0]](*row[1:])


def _plain(value: Any) -> Any:
    match value:
        case bytes():
            return decode(value)
        case tuple():
            return [decode(each) if isinstance(each, bytes) else each for each in value]
        case Mapping():
            return {name: _plain(each) for name, each in value.items()}
    return value


_WRITES: dict[str, Callable[..., ops.Write]] = {
    "Set": lambda key, value, ttl_ms: ops.Set(key, encode(value), ttl_ms),
    "Delete": lambda keys: ops.Delete(tuple(keys)),
    "Expire": ops.Expire,
    "HashSet": lambda key, fields: ops.HashSet(key, {n: encode(v) for n, v in fields.items()}),
    "HashDelete": lambda key, names: ops.HashDelete(key, tuple(names)),
    "SetAdd": lambda key, members: ops.SetAdd(key, tuple(members)),
    "SetRemove": lambda key, members: ops.SetRemove(key, tuple(members)),
    "SortedAdd": ops.SortedAdd,
    "SortedAddFromNow": ops.SortedAddFromNow,
    "SortedRemove": lambda key, members: ops.SortedRemove(key, tuple(members)),
    "Append": lambda key, texts, maxlen: ops.Append(key, tuple(map(encode, texts)), maxlen),
}


# -- checks before anything is written ---------------------------------------------


def check_names(write: ops.Write) -> None:
    """Refuse a write that no line could hold.

    Raises:
        StoreError: a key, field or member holds half a character.
    """
    try:
        json.dumps(row_of(write), ensure_ascii=False).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise StoreError(f"A name with half a character: {error.object[error.start]!r}") from error
