"""The key ring: a private file of keys, the first of which seals and all of which open.

One key a line, ``id:base64 of 32 bytes``; empty lines and lines with ``#`` count
for nothing. The file is read again when it has changed, so that a new key needs
no restart.
"""

from __future__ import annotations

import base64
import binascii
import logging
import os
import re
import stat
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from statecore.sealing.faults import BadKeyRing

if TYPE_CHECKING:  # a site without a ring does not load the ciphers
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

KEY_BYTES = 32
LOOK_EVERY_S = 1.0
"""How often a process looks whether its key ring has changed, in seconds."""
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
LARGEST_BYTES = 100_000

log = logging.getLogger("statecore.sealing")


@dataclass(frozen=True)
class Key:
    """A secret and its name; shown without the secret."""

    id: str
    secret: bytes = field(repr=False)

    def derive(self, purpose: bytes, length: int, salt: bytes = b"") -> bytes:
        """A key of its own for one purpose, so that no two ciphers ever share one."""
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        return HKDF(SHA256(), length, salt or None, purpose).derive(self.secret)

    @cached_property
    def cipher_of_values(self) -> AESSIV:
        """What seals values with this key."""
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV

        return AESSIV(self.derive(b"orchard values 1", 64))

    def line(self) -> str:
        """The key as it stands in the file: a secret."""
        return f"{self.id}:{base64.b64encode(self.secret).decode()}"


def make_key(key_id: str = "") -> Key:
    """A new key, named after today unless it is told otherwise.

    Raises:
        BadKeyRing: it cannot be an id.
    """
    return Key(_check_id(key_id or f"k{time.strftime('%Y%m%d', time.gmtime())}"),
               os.urandom(KEY_BYTES))  # fmt: skip


class KeyRing:
    """Some keys; the first seals."""

    def __init__(self, *keys: Key) -> None:
        self._keys = keys

    @property
    def keys(self) -> tuple[Key, ...]:
        """All keys, in their order."""
        return self._keys

    @property
    def first(self) -> Key:
        """The key that seals."""
        return self.keys[0]

    def find(self, key_id: str) -> Key | None:
        """The key of an id, if the ring has it."""
        return next((key for key in self.keys if key.id == key_id), None)


class RingFile(KeyRing):
    """The key ring in a file, as it is now.

    A file that has become unreadable while it is in use changes nothing: the
    keys that were last read stay.

    Raises:
        BadKeyRing: (when made) it cannot be read; says why.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(*read_key_ring(path))
        self.path = path
        self._mark, self._looked_at = _mark(path), time.monotonic()

    @property
    def keys(self) -> tuple[Key, ...]:
        """All keys, in their order."""
        if time.monotonic() - self._looked_at > LOOK_EVERY_S:
            self.look_again()
        return self._keys

    def look_again(self) -> None:
        """Read the file again, if it has changed."""
        self._looked_at, mark = time.monotonic(), _mark(self.path)
        if mark == self._mark:
            return
        try:
            self._keys, self._mark = read_key_ring(self.path), mark
        except BadKeyRing as fault:
            log.error("the key ring stays as it was: %s", fault)
            self._mark = mark

    def find(self, key_id: str) -> Key | None:
        """The key of an id; one that is unknown may just have come into the file."""
        found = super().find(key_id)
        if found is None:
            self.look_again()
            found = super().find(key_id)
        return found


def read_key_ring(path: Path) -> tuple[Key, ...]:
    """The keys of a file that only its owner can read.

    Raises:
        BadKeyRing: it is missing, open to others, or has a line that is no key; says which line.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            raw = file.read(LARGEST_BYTES + 1)
    except OSError as fault:
        raise BadKeyRing(f"{path}: {fault.strerror or 'cannot be read'}") from None
    if stat.S_IMODE(mode) & 0o077:
        raise BadKeyRing(f"{path}: others can read it (mode {stat.S_IMODE(mode):o}); chmod 600")
    try:
        return parse_key_ring(raw.decode())
    except (BadKeyRing, UnicodeDecodeError) as fault:
        reason = fault if isinstance(fault, BadKeyRing) else "is no text"
        raise BadKeyRing(f"{path}: {reason}") from None


def parse_key_ring(text: str) -> tuple[Key, ...]:
    """The keys of a text.

    Raises:
        BadKeyRing: a line is no key, two have one id, or there is none.
    """
    keys: dict[str, Key] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key = _parse_line(line.strip(), number)
        if key.id in keys:
            raise BadKeyRing(f"line {number}: the id {key.id!r} stands there twice")
        keys[key.id] = key
    if not keys:
        raise BadKeyRing("has no key")
    return tuple(keys.values())


def write_key_ring(path: Path, keys: tuple[Key, ...]) -> None:
    """Put these keys in a file of mode 600, in place of what was there, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    scratch = path.with_name(f".{path.name[:100]}.{os.getpid()}.tmp")
    scratch.unlink(missing_ok=True)
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write("".join(f"{key.line()}\n" for key in keys))
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def _parse_line(line: str, number: int) -> Key:
    key_id, colon, text = line.partition(":")
    try:
        secret = base64.b64decode(text.strip(), validate=True) if colon else b""
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != KEY_BYTES or not ID.fullmatch(key_id):
        raise BadKeyRing(f"line {number}: is no id:base64 of {KEY_BYTES} bytes")
    return Key(key_id, secret)


def _check_id(key_id: str) -> str:
    if not ID.fullmatch(key_id):
        raise BadKeyRing(f"{key_id!r} is no id of a key: up to 32 letters, digits, . _ -")
    return key_id


def _mark(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size, found.st_mode
