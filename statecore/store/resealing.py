"""Seals all values of an engine anew with one key, or opens them all, while it is in use.

Each value is replaced only if it is still the same; whoever reads or writes
meanwhile notices nothing. What was done stays done: killed in the middle, it is
begun again and goes past what it finds done. Entries of streams cannot be
replaced: they are counted, and go with time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from statecore.sealing.faults import BrokenSeal
from statecore.sealing.key_ring import Key, KeyRing
from statecore.sealing.values import Place, key_id_of, seal, unseal
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.known_keys import forget_others, make_known
from statecore.store.memory import MemoryStore
from statecore.store.walking import KeyFact, _ask, below, walk_keys, walk_members

if TYPE_CHECKING:
    from statecore.store.redis import RedisStore

PAGE = 100
TRIES = 20
PASSES = 5
"""Whoever began before the key was there may have written with an older one behind a pass."""
_SWAP = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local ttl = redis.call('PTTL', KEYS[1])
if ttl > 0 then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ttl)
else
  redis.call('SET', KEYS[1], ARGV[2])
end
return 1
"""


class ResealReport(Struct):
    """What became of the values of an engine."""

    sealed: int = 0
    """Values that were sealed anew, or opened."""
    right: int = 0
    """Values that were so already, when they were last looked at."""
    damaged: int = 0
    """Values that do not open: they stay as they are."""
    entries_left: int = 0
    """Events that are sealed otherwise: they go with time."""
    forgotten: list[str] = []
    """Keys with which nothing in the engine is sealed any more."""


@dataclass(frozen=True)
class Wanted:
    """With which key each value is to be sealed."""

    ring: KeyRing
    may_be_sealed: Callable[[str], bool]
    """Whether values of a key are ever sealed; others are not looked at."""
    key_for: Callable[[str], Key | None]
    """What seals the values of a key; ``None``: they are kept in plain."""
    may_be_dropped: frozenset[str] = frozenset()
    """Streams to delete when they have entries that are sealed otherwise: readers begin anew."""

    def resealed(self, place: Place, raw: bytes) -> bytes:
        """A value as it should be.

        Raises:
            MissingKey: it was sealed with a key that is not in the ring.
            BrokenSeal: it does not open.
        """
        key = self.key_for(place[0])
        if key_id_of(raw) == (key.id if key else ""):
            return raw
        plain = unseal(self.ring, place, raw)
        return seal(key, place, plain) if key else plain


def reseal(
    store: Store, wanted: Wanted, first: Key | None, tell: Callable[[int], None]
) -> ResealReport:
    """Have every value sealed as wanted; ``first`` is the one key that is needed afterwards.

    Raises:
        MissingKey: something is sealed with a key that is not in the ring.
        StoreUnavailable: the engine cannot be reached.
    """
    base, done = below(store), 0
    if first:
        _drive(base, first)
    for _ in range(PASSES):
        report = ResealReport()
        for page in walk_keys(store):
            for fact in page:
                if wanted.may_be_sealed(fact.name):
                    _reseal_key(store, base, wanted, fact, report)
            tell(done + report.sealed + report.right)
        done += report.sealed
        if not report.sealed:
            break
    if not (report.sealed or report.damaged or report.entries_left):
        report.forgotten = forget_others(base, first)
    report.sealed = done
    return report


def _drive(base: Store, key: Key) -> None:
    steps = make_known(key)
    try:
        request = next(steps)
        while True:
            request = steps.send(base.perform(request))
    except StopIteration:
        return


def _reseal_key(
    store: Store, base: Store, wanted: Wanted, fact: KeyFact, report: ResealReport
) -> None:
    if fact.kind == "string":
        _reseal_string(base, wanted, fact, report)
    elif fact.kind == "hash":
        for names in walk_members(store, fact.name, "hash", PAGE):
            _reseal_fields(base, wanted, fact, names, report)
    elif fact.kind == "stream":
        _count_entries(base, wanted, fact, report)


def _reseal_string(base: Store, wanted: Wanted, fact: KeyFact, report: ResealReport) -> None:
    for _ in range(TRIES):
        (raw,) = base.read(ops.Key(fact.address))
        new = None if raw is None else _new(wanted, (fact.name,), raw, report)
        if raw is None or new is None:
            return
        if _swap(base, fact.address, raw, new):
            report.sealed += 1
            return


def _reseal_fields(
    base: Store, wanted: Wanted, fact: KeyFact, names: list[str], report: ResealReport
) -> None:
    cells = [ops.Field(fact.address, name) for name in names]
    for _ in range(TRIES):
        seen = dict(zip(cells, base.read(*cells), strict=True))
        before = report.right, report.damaged
        new = {
            cell.name: found
            for cell, raw in seen.items()
            if raw is not None
            and (found := _new(wanted, (fact.name, cell.name), raw, report)) is not None
        }
        expected: dict[ops.Cell, bytes | None] = {c: seen[c] for c in cells if c.name in new}
        said = base.commit(expected, [ops.HashSet(fact.address, new)]) if new else None
        if not isinstance(said, ops.Conflict):
            report.sealed += len(new)
            return
        report.right, report.damaged = before


def _new(wanted: Wanted, place: Place, raw: bytes, report: ResealReport) -> bytes | None:
    """A value as it should be; ``None`` when it is so, or does not open."""
    try:
        new = wanted.resealed(place, raw)
    except BrokenSeal:
        report.damaged += 1
        return None
    if new == raw:
        report.right += 1
        return None
    return new


def _count_entries(base: Store, wanted: Wanted, fact: KeyFact, report: ResealReport) -> None:
    key, cursor, left = wanted.key_for(fact.name), "", 0
    while True:
        tailed = base.tail(fact.address, cursor, 500)
        ids = [key_id_of(raw) for _, raw in tailed.entries]
        left += sum(1 for each in ids if each and each != (key.id if key else ""))
        if len(ids) < 500:
            break
        cursor = tailed.cursor
    if left and fact.name in wanted.may_be_dropped:
        base.commit({}, [ops.Delete((fact.address,))])
    else:
        report.entries_left += left


def _swap(base: Store, name: str, old: bytes, new: bytes) -> bool:
    """Put a string in place of another, which keeps its lifetime."""
    if isinstance(base, MemoryStore):
        with base._opened():
            values = base._keys._values
            is_same = values.get(name) == old
            if is_same:
                values[name] = new
            return bool(is_same)
    # Asked again after a lost answer it says no, and the value is found to be right.
    return bool(_ask(cast("RedisStore", base), "EVAL", _SWAP, 1, name, old, new, keys=[name]))
