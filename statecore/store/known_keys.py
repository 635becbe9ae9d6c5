"""Which keys an engine's values are sealed with: told at start, before one of them is met.

The hash ``sealing`` has a field for each such key, and in it a word sealed with it.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from statecore.sealing.faults import BrokenSeal, SealFault
from statecore.sealing.key_ring import Key, KeyRing
from statecore.sealing.values import seal, unseal
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.errors import StoreError

SEALING = "sealing"
"""Hash: id of a key that values are sealed with -> a word sealed with it; never in a partition."""
_WORD = b"open"


class WrongKey(StoreError):
    """The engine holds what is sealed with a key that is not there, or is another one."""


def check_keys(engine: Store, ring: KeyRing | None) -> None:
    """Make sure that every key that an engine's values are sealed with is in the ring.

    ``engine`` is the store without partitions and seals.

    Raises:
        WrongKey: one is not, or is another of the same id; nothing was changed.
        StoreUnavailable: the engine cannot be reached.
    """
    (words,) = engine.read(ops.WholeHash(SEALING))
    for key_id, raw in sorted(words.items()):
        _check(ring, key_id, raw)


def make_known(key: Key) -> Generator[ops.Request, Any, None]:
    """Have the engine know that values are sealed with a key.

    Raises:
        WrongKey: it knows another key of this id; nothing was changed.
    """
    cell, word = ops.Field(SEALING, key.id), seal(key, (SEALING, key.id), _WORD)
    said = yield ops.Commit({cell: None}, (ops.HashSet(SEALING, {key.id: word}),))
    if isinstance(said, ops.Conflict):
        _check(KeyRing(key), key.id, said.current[cell] or b"")


def forget_others(engine: Store, key: Key | None) -> list[str]:
    """Have the engine forget all keys but one, with which nothing is sealed any more; their ids."""
    (words,) = engine.read(ops.WholeHash(SEALING))
    gone = sorted(words.keys() - ({key.id} if key else set()))
    if gone:
        engine.commit({}, [ops.HashDelete(SEALING, tuple(gone))])
    return gone


def _check(ring: KeyRing | None, key_id: str, raw: bytes) -> None:
    try:
        is_right = unseal(ring, (SEALING, key_id), raw) == _WORD
    except BrokenSeal:
        is_right = False
    except SealFault:
        raise WrongKey(
            f"the state engine holds what is sealed with the key {key_id!r}, which is not in it"
        ) from None
    if not is_right:
        raise WrongKey(f"its key {key_id!r} is another than the one the state engine knows")
