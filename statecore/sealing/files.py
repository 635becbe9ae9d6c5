"""Files that are sealed block by block, so that any part is read in little memory.

``NUL "sealed file" version, length and id of the key, 16 bytes of salt``, then blocks of
64 KiB, each with a tag of 16 bytes. Every file has a key of its own, made from
the ring's, the salt and the place; a block's nonce is its number and whether it
is the last (as in STREAM of Hoang, Reyhanitabar, Rogaway and Vizár). So blocks
cannot be swapped, and a file cannot be cut off, drawn out or put in another place.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

from statecore.sealing.faults import BrokenSeal, MissingKey
from statecore.sealing.key_ring import Key, KeyRing

if TYPE_CHECKING:  # a site without a ring does not load the ciphers
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"\0sealed file\x01"
BLOCK = 64 * 1024
"""Bytes of the file in a block."""
TAG, SALT = 16, 16
_LONGEST_HEAD = len(MAGIC) + 1 + 255 + SALT


class SealWriter(io.RawIOBase):
    """Seals what is written to it; the stream below is whole once this is finished."""

    def __init__(self, stream: IO[bytes], key: Key, place: str) -> None:
        salt = os.urandom(SALT)
        self._stream, self._held, self._number = stream, bytearray(), 0
        self._cipher = _cipher(key, salt, place)
        name = key.id.encode()
        stream.write(b"%b%c%b%b" % (MAGIC, len(name), name, salt))

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any) -> int:
        """Seal as many blocks as are full; a full one at the end may be the last, and waits."""
        self._held += data
        while len(self._held) > BLOCK:
            self._seal(bytes(self._held[:BLOCK]), is_last=False)
            del self._held[:BLOCK]
        return len(data)

    def finish(self) -> None:
        """Seal the last block; without it the file counts as cut off."""
        self._seal(bytes(self._held), is_last=True)

    def _seal(self, plain: bytes, *, is_last: bool) -> None:
        sealed = self._cipher.encrypt(_nonce(self._number, is_last=is_last), plain, None)
        self._stream.write(sealed)
        self._number += 1


@contextmanager
def sealing(stream: IO[bytes], key: Key, place: str) -> Iterator[IO[bytes]]:
    """A stream that seals for a place what is written to it; unfinished when this is left early."""
    writer = SealWriter(stream, key, place)
    yield cast("IO[bytes]", writer)
    writer.finish()


class Head(NamedTuple):
    """What stands before the blocks."""

    key_id: str
    salt: bytes
    length: int


def read_head(stream: IO[bytes], place: str) -> Head | None:
    """What a file says of its seal; ``None`` when it is not sealed. The stream is at its start.

    Raises:
        BrokenSeal: it is cut off.
    """
    raw = _read_fully(stream, _LONGEST_HEAD)
    stream.seek(0)
    if not raw.startswith(MAGIC):
        return None
    start = len(MAGIC) + 1
    end = start + (raw[start - 1] if len(raw) >= start else 0)
    if end == start or len(raw) < end + SALT:
        raise BrokenSeal(place)
    return Head(raw[start:end].decode("ascii", "replace"), raw[end : end + SALT], end + SALT)


def open_sealed(stream: IO[bytes], ring: KeyRing | None, place: str) -> IO[bytes]:
    """What a file holds, for reading from any byte on; one that is not sealed comes back itself.

    Raises:
        MissingKey: the ring has not the key it was sealed with.
        BrokenSeal: it was altered, cut off, or sealed for another place.
    """
    try:
        head = read_head(stream, place)
        if head is None:
            return stream
        key = ring.find(head.key_id) if ring else None
        if key is None:
            raise MissingKey(head.key_id, place)
        blocks = _Blocks(stream, _cipher(key, head.salt, place), head.length, place)
        return cast("IO[bytes]", io.BufferedReader(blocks, BLOCK))
    except BaseException:
        stream.close()
        raise


def plain_size(stream: IO[bytes], place: str) -> int:
    """How many bytes a file holds, sealed or not.

    Raises:
        BrokenSeal: it is cut off.
    """
    head = read_head(stream, place)
    total = stream.seek(0, os.SEEK_END)
    return total if head is None else _sizes(total - head.length, place)[1]


class _Blocks(io.RawIOBase):
    """The bytes of a sealed file, each block proved before one of its bytes is given out."""

    def __init__(self, stream: IO[bytes], cipher: AESGCM, start: int, place: str) -> None:
        self._stream, self._cipher, self._start, self._place = stream, cipher, start, place
        self._last, self._size = _sizes(stream.seek(0, os.SEEK_END) - start, place)
        self._at = 0
        self._number, self._block = self._last, self._open(self._last)

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a byte."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("no byte is before the first")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Some of the bytes from here on, at most to the end of a block."""
        if self._at >= self._size:
            return 0
        number, offset = divmod(self._at, BLOCK)
        if number != self._number:
            self._block, self._number = self._open(number), number
        found = self._block[offset : offset + len(buffer)]
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)

    def close(self) -> None:
        """Close the file below as well."""
        if not self.closed:
            self._stream.close()
        super().close()

    def _open(self, number: int) -> bytes:
        from cryptography.exceptions import InvalidTag

        self._stream.seek(self._start + number * (BLOCK + TAG))
        sealed = _read_fully(self._stream, BLOCK + TAG)
        try:
            return self._cipher.decrypt(_nonce(number, is_last=number == self._last), sealed, None)
        except (InvalidTag, ValueError):
            raise BrokenSeal(self._place) from None


def _read_fully(stream: IO[bytes], size: int) -> bytes:
    """As many bytes as there are, up to a size: what comes over a network comes in parts."""
    found = stream.read(size)
    while len(found) < size and (more := stream.read(size - len(found))):
        found += more
    return found


def _sizes(sealed: int, place: str) -> tuple[int, int]:
    """The number of the last block, and the bytes in all blocks."""
    last = max(0, (sealed - 1) // (BLOCK + TAG))
    size = sealed - (last + 1) * TAG
    if size < last * BLOCK:
        raise BrokenSeal(place)
    return last, size


def _cipher(key: Key, salt: bytes, place: str) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    purpose = b"orchard file 1 " + place.encode("utf-8", "surrogateescape")
    return AESGCM(key.derive(purpose, 32, salt))


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])
