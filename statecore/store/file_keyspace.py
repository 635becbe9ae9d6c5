"""Keys of the file store: those of the memory store, that note what is written to them.

Time stands still within a step, and a key is dropped for its age only by a
write that is noted: so whoever repeats the noted writes has the same keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heappop
from typing import Any

from statecore.store import ops
from statecore.store.checks import Position, decode, encode
from statecore.store.clock import Clock
from statecore.store.keyspace import KINDS, Keyspace, V
from statecore.store.sortedset import SortedMembers, Stream


class Moment(Clock):
    """A clock that shows the time of one step."""

    def __init__(self) -> None:
        self.ms = 0

    def now_ms(self) -> int:
        """The time set."""
        return self.ms


class FileKeyspace(Keyspace):
    """What each key holds at one moment, and the writes that nobody else knows of yet."""

    def __init__(self) -> None:
        self.moment = Moment()
        super().__init__(self.moment)
        self.noted: list[ops.Write] = []

    def find(self, key: str, kind: type[V]) -> V | None:
        """What a key holds, or ``None``; what is too old is there no more."""
        if key in self._deadlines and self._deadlines[key] <= self.moment.ms:
            return None
        return super().find(key, kind)

    def apply(self, write: ops.Write) -> None:
        """Do one write of a commit that has passed all checks, and note it."""
        self.noted.append(write)
        super().apply(write)

    def repeat(self, at_ms: int, writes: Iterable[ops.Write]) -> None:
        """Do writes that were noted elsewhere, at that time."""
        self.moment.ms = at_ms
        for write in writes:
            super().apply(write)

    def drop_old(self) -> None:
        """Delete the keys whose lifetime is over."""
        old = []
        while self._due and self._due[0][0] <= self.moment.ms:
            deadline, key = heappop(self._due)
            if self._deadlines.get(key) == deadline:
                old.append(key)
        if old:
            self.apply(ops.Delete(tuple(dict.fromkeys(old))))

    # -- namespaces, which have files of their own ------------------------------

    def fields(self, key: str) -> dict[str, bytes]:
        """What a namespace holds, however old."""
        held = self._values.get(key)
        return held if isinstance(held, dict) else {}

    def put_fields(self, key: str, fields: dict[str, bytes]) -> None:
        """Let a namespace hold what its file says."""
        if fields:
            self._values[key] = fields
        else:
            self._drop(key)

    def deadline(self, key: str) -> int | None:
        """When a key expires, in ms since the epoch."""
        return self._deadlines.get(key)

    def put_deadline(self, key: str, at_ms: int | None) -> None:
        """Let a key expire then, or never."""
        self._expire(key, None if at_ms is None else at_ms - self.moment.ms)

    def drop_vain_deadlines(self) -> None:
        """Forget deadlines of keys that hold nothing."""
        for key in self._deadlines.keys() - self._values.keys():
            del self._deadlines[key]

    # -- snapshots ---------------------------------------------------------------

    @property
    def newest_ms(self) -> int:
        """The time of the newest entry that a stream ever had."""
        return self._newest_ms

    def dump(self, has_file: Callable[[str], object]) -> Iterator[list[Any]]:
        """A row for each key; of those with a file of their own only the deadline."""
        for key, value in self._values.items():
            deadline = self._deadlines.get(key)
            if not has_file(key):
                yield [key, deadline, KINDS[type(value)], _dumped(value)]
            elif deadline is not None:
                yield [key, deadline]

    def load(self, rows: Sequence[list[Any]], newest_ms: int) -> None:
        """Hold what :meth:`dump` told of."""
        self.moment.ms, self._newest_ms = 0, newest_ms
        for key, deadline, *held in rows:
            if held:
                kind, value = held
                self._values[key] = _LOADS[kind](value)
            if deadline is not None:
                self.put_deadline(key, deadline)


def _dumped(value: Any) -> Any:
    match value:
        case bytes():
            return decode(value)
        case dict():
            return {name: decode(each) for name, each in value.items()}
        case set():
            return sorted(value)
        case SortedMembers():
            return value.scores
        case Stream():
            last, added, positions, entries = value.dump()
            return [last, added, positions, list(map(decode, entries))]
    raise TypeError(f"Nothing that a key holds: {value!r}")


def _sorted_members(scores: dict[str, float]) -> SortedMembers:
    members = SortedMembers()
    for member, score in sorted(scores.items(), key=lambda each: each[1]):
        members.add(member, score)
    return members


def _stream(dumped: list[Any]) -> Stream:
    last, added, positions, entries = dumped
    return Stream.load(
        Position(*last), added, [Position(*each) for each in positions], list(map(encode, entries))
    )


_LOADS: dict[str, Callable[[Any], Any]] = {
    KINDS[bytes]: encode,
    KINDS[dict]: lambda fields: {name: encode(value) for name, value in fields.items()},
    KINDS[set]: set,
    KINDS[SortedMembers]: _sorted_members,
    KINDS[Stream]: _stream,
}
