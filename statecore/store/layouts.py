"""Layouts: to which entity a key belongs, and so in which partition it lives.

An engine of many machines changes only keys of one partition in one step. So
whatever changes together belongs to one entity, an entity lives in one
partition, and what gathers many entities (an index, a queue, the events) has a
part in each.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

HOME = 0
"""The partition of everything that belongs to no entity."""

MOST = 1024
"""Most partitions there can be: every one of them is asked for a count."""


def _nobody(key: str) -> str:
    return ""


@dataclass(frozen=True)
class Layout:
    """Which keys belong to which entity; the default keeps everything at home."""

    entity_of: Callable[[str], str] = _nobody
    """The entity that a key belongs to; ``""`` for what belongs to none and lives at home."""
    indexes: Mapping[str, Callable[[str], str | None]] = field(default_factory=dict)
    """Sorted sets with a part in each partition: the entity of a member, ``None`` for a
    member that can be none of ours."""
    streams: frozenset[str] = frozenset()
    """Streams with a part in each partition."""

    def place_of(self, key: str, count: int) -> int:
        """The partition that a key lives in."""
        return place(self.entity_of(key), count)

    def place_of_member(self, index: str, member: str, count: int) -> int | None:
        """The partition that a member of an index lives in; ``None``: it may be in any."""
        entity = self.indexes[index](member)
        return None if entity is None else place(entity, count)


def place(entity: str, count: int) -> int:
    """The partition of an entity: the same in every process, of every version."""
    if not entity:
        return HOME
    return zlib.crc32(entity.encode("utf-8", "surrogateescape")) % count


def tagged(partition: int, key: str) -> str:
    """The name of a key in a partition; the tag decides where a cluster keeps it."""
    return f"{{p{partition:02d}}}{key}"
