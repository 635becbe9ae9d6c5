"""Keys, their values and their lifetimes in the memory store."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any, TypeVar

from statecore.store import checks, ops
from statecore.store.clock import Clock
from statecore.store.errors import WrongType
from statecore.store.sortedset import START, SortedMembers, Stream

Held = bytes | dict[str, bytes] | set[str] | SortedMembers | Stream
V = TypeVar("V", bound=Held)

KINDS: dict[type[Any], checks.Kind] = {
    bytes: checks.STRING,
    dict: checks.HASH,
    set: checks.SET,
    SortedMembers: checks.SORTED,
    Stream: checks.STREAM,
}


class Keyspace:
    """What each key holds. Empty collections vanish, expired keys too; not thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._values: dict[str, Any] = {}
        self._deadlines: dict[str, int] = {}
        self._due: list[tuple[int, str]] = []
        self._newest_ms = 0

    def find(self, key: str, kind: type[V]) -> V | None:
        """What a key holds, or ``None``.

        Raises:
            WrongType: it holds something else.
        """
        value = self._values.get(key)
        if value is not None and not isinstance(value, kind):
            raise WrongType(f"{key} is not a {KINDS[kind]}")
        return value

    def get(self, key: str, kind: type[V]) -> V:
        """What a key holds, or an empty collection of its kind, which is not kept."""
        value = self.find(key, kind)
        return kind() if value is None else value

    def require(self, key: str, kind: checks.Kind) -> None:
        """Refuse a key that holds another kind.

        Raises:
            WrongType: it does.
        """
        value = self._values.get(key)
        if value is not None and KINDS[type(value)] != kind:
            raise WrongType(f"{key} is not a {kind}")

    def apply(self, write: ops.Write) -> None:
        """Do one write of a commit that has passed all checks."""
        match write:
            case ops.Set(key, value, ttl_ms):
                self._values[key] = bytes(value)
                self._expire(key, ttl_ms)
            case ops.Delete(keys):
                for key in keys:
                    self._drop(key)
            case ops.Expire(key, ttl_ms):
                if key in self._values:
                    self._expire(key, ttl_ms)
            case ops.Append(key, entries, maxlen):
                self._change(key, Stream, lambda held: self._append(held, entries, maxlen))
            case ops.HashSet() | ops.HashDelete():
                self._change(write.key, dict, lambda fields: _write_hash(fields, write))
            case ops.SetAdd(key, members):
                self._change(key, set, lambda held: held.update(members))
            case ops.SetRemove(key, members):
                self._change(key, set, lambda held: held.difference_update(members))
            case _:
                self._apply_sorted(write)

    def drop_expired(self) -> None:
        """Drop the keys whose lifetime is over."""
        now_ms = self._clock.now_ms() if self._due else 0
        while self._due and self._due[0][0] <= now_ms:
            deadline, key = heappop(self._due)
            if self._deadlines.get(key) == deadline:
                self._drop(key)

    def names(self) -> list[str]:
        """All keys."""
        return list(self._values)

    def clear(self) -> None:
        """Drop every key."""
        self._values.clear()
        self._deadlines.clear()
        self._due.clear()

    def _apply_sorted(self, write: ops.SortedAdd | ops.SortedAddFromNow | ops.SortedRemove) -> None:
        match write:
            case ops.SortedAdd(_, scores):
                pass
            case ops.SortedAddFromNow(_, delays_ms):
                now_ms = self._clock.now_ms()
                scores = {member: now_ms + delay for member, delay in delays_ms.items()}
            case ops.SortedRemove(key, members):
                return self._change(key, SortedMembers, lambda held: _remove(held, members))
        self._change(write.key, SortedMembers, lambda held: _add(held, scores))

    def _append(self, stream: Stream, entries: tuple[bytes, ...], maxlen: int) -> None:
        at_ms = self._clock.now_ms()
        if stream.last == START:  # begun again, perhaps in the same millisecond: never the same ids
            at_ms = max(at_ms, self._newest_ms + 1)
        for entry in entries:
            stream.append(bytes(entry), maxlen, at_ms)
        self._newest_ms = max(self._newest_ms, stream.last.ms)

    def _change(self, key: str, kind: type[V], change: Callable[[V], object]) -> None:
        value = self.get(key, kind)
        change(value)
        if len(value):
            self._values[key] = value
        else:
            self._drop(key)

    def _expire(self, key: str, ttl_ms: int | None) -> None:
        self._deadlines.pop(key, None)
        if ttl_ms is not None:
            self._deadlines[key] = self._clock.now_ms() + ttl_ms
            heappush(self._due, (self._deadlines[key], key))
        if len(self._due) > 2 * len(self._deadlines) + 100:
            self._due = [(deadline, key) for key, deadline in self._deadlines.items()]
            heapify(self._due)

    def _drop(self, key: str) -> None:
        self._values.pop(key, None)
        self._deadlines.pop(key, None)


def _write_hash(fields: dict[str, bytes], write: ops.HashSet | ops.HashDelete) -> None:
    if isinstance(write, ops.HashSet):
        fields.update((name, bytes(value)) for name, value in write.fields.items())
    else:
        for name in write.names:
            fields.pop(name, None)


def _add(held: SortedMembers, scores: Any) -> None:
    for member, score in scores.items():
        held.add(member, float(score))


def _remove(held: SortedMembers, members: tuple[str, ...]) -> None:
    for member in members:
        held.remove(member)
