"""Values that are sealed: ``NUL "sealed" version, length and id of the key, tag, ciphertext``.

AES-SIV (RFC 5297, AES-256) and not AES-GCM, for two reasons. A commit compares
what an engine holds byte by byte, and SIV makes the same bytes of the same value
in the same place. And it needs no nonce: a key of GCM with random nonces must not
seal more than 2^32 values, which a busy engine has written in weeks. All that
the sameness tells is that a place holds again what it held before.
"""

from __future__ import annotations

from statecore.sealing.faults import BrokenSeal, MissingKey
from statecore.sealing.key_ring import Key, KeyRing

MAGIC = b"\0sealed\x01"
"""No JSON begins with it, and no other text that we keep."""
_PLAIN = b"\0"
"""Stands before what is sealed, so that even nothing is something to the cipher."""

Place = tuple[str, ...]
"""Where a value is: a key, and the field of a hash."""


def is_sealed(raw: bytes) -> bool:
    """Whether bytes begin as sealed ones do."""
    return raw.startswith(MAGIC)


def seal(key: Key, place: Place, plain: bytes) -> bytes:
    """A value, sealed for one place; always the same bytes for the same value there."""
    name = key.id.encode()
    sealed = key.cipher_of_values.encrypt(_PLAIN + plain, [_bound_to(place)])
    return b"%b%c%b%b" % (MAGIC, len(name), name, sealed)


def unseal(ring: KeyRing | None, place: Place, raw: bytes) -> bytes:
    """What was sealed; bytes that are not sealed come back as they are.

    Raises:
        MissingKey: the ring has not the key it was sealed with.
        BrokenSeal: it was altered, or sealed for another place.
    """
    if not is_sealed(raw):
        return raw
    key_id, sealed = _split(raw)
    if not key_id:
        raise BrokenSeal(_named(place))
    key = ring.find(key_id) if ring else None
    if key is None:
        raise MissingKey(key_id, _named(place))
    from cryptography.exceptions import InvalidTag  # only where something is sealed

    try:
        return key.cipher_of_values.decrypt(sealed, [_bound_to(place)])[len(_PLAIN) :]
    except (InvalidTag, ValueError):
        raise BrokenSeal(_named(place)) from None


def key_id_of(raw: bytes) -> str:
    """With which key a value says that it was sealed; empty for one that is not sealed."""
    return _split(raw)[0] if is_sealed(raw) else ""


def _split(raw: bytes) -> tuple[str, bytes]:
    start = len(MAGIC) + 1
    end = start + (raw[len(MAGIC)] if len(raw) >= start else 0)
    return raw[start:end].decode("ascii", "replace"), raw[end:]


def _bound_to(place: Place) -> bytes:
    """A place as bytes, no two of which are alike; one part, as empty parts are not bound."""
    parts = [part.encode("utf-8", "surrogateescape") for part in place]
    return b"".join(b"%d:%b" % (len(part), part) for part in parts)


def _named(place: Place) -> str:
    return " ".join(place)
