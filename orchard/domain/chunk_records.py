"""The record of a chunk, and its name to the outside."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from orchard.domain.events import Event
from orchard.domain.lifecycle import ChunkStatus

ERRORS_KEPT = 5
"""How many of its last failures a chunk remembers."""


Facts = dict[str, Any]
"""A few words of JSON."""


class Failure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One failed attempt at a chunk."""

    at: datetime
    worker_id: str
    error: str
    started_at: datetime | None = None
    """When the attempt began; nobody had begun one when a waiting chunk was given up."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """How much a chunk's result holds (CONTRACTS section 5)."""

    text_length: int
    segments_count: int


class Second(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Another worker that has a chunk at the same time as the first, with a token of its own."""

    token: int
    worker_id: str
    worker_url: str
    started_at: datetime
    progress: float = 0.0


class Superseded(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that was no longer needed, because the result of another came first."""

    worker_id: str
    started_at: datetime
    at: datetime
    """When the other result came."""


class Doubt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was doubtful about the first result of a chunk, and which of two counts in the end."""

    at: datetime
    worker_id: str
    token: int
    """With which the doubted result came; it is told the same when it comes again."""
    reasons: tuple[str, ...]
    """Of :data:`orchard.domain.quality.REASONS`."""
    time_ms: int
    summary: Summary
    started_at: datetime | None = None
    chosen: str = ""
    """``first`` or ``second``, once that is decided."""
    left: tuple[str, ...] = ()
    """What is doubtful about the one that counts."""

    @property
    def is_open(self) -> bool:
        """Whether the chunk is still to be done once more."""
        return not self.chosen


class Chunk(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One piece of a recording, at its true place on the source's timeline."""

    index: int
    start_ms: int
    end_ms: int
    status: ChunkStatus = ChunkStatus.WAITING
    token: int = 0
    """Fencing token of the (first) worker that has the chunk, or had it last."""
    last_token: int = 0
    """The greatest token ever given out, where that is another worker's; tokens only grow."""
    attempts: int = 0
    worker_id: str = ""
    worker_url: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    not_before: datetime | None = None
    """End of the back-off; no worker gets the chunk before."""
    progress: float = 0.0
    time_ms: int = 0
    """How long the worker took."""
    result_summary: Summary | None = None
    errors: tuple[Failure, ...] = ()
    second: Second | None = None
    """Who else has it: a copy of what takes too long. The first valid result counts."""
    superseded: tuple[Superseded, ...] = ()
    turn: int = 0
    """When it is its job's turn (epoch ms); see :mod:`orchard.domain.queueing`."""
    lane: str = ""
    """In which queue it waits, and with which leases; see :mod:`orchard.domain.orders`."""
    facts: Facts | None = None
    """What its job's type notes of it, for the worker and for the check of its result."""
    doubt: Doubt | None = None
    """Set when its first result was doubtful; it never is a second time."""

    @property
    def duration_ms(self) -> int:
        """Length of the sound in milliseconds."""
        return self.end_ms - self.start_ms

    @property
    def greatest_token(self) -> int:
        """The greatest token ever given out for it."""
        return max(self.token, self.last_token)

    @property
    def worker_ids(self) -> tuple[str, ...]:
        """Who has it, or had it last."""
        both = (self.worker_id, self.second.worker_id if self.second else "")
        return tuple(filter(None, both))

    def has_token(self, token: int) -> bool:
        """Whether this is the token of somebody who has it."""
        return token == self.token or (self.second is not None and token == self.second.token)

    def token_of(self, worker_id: str) -> int | None:
        """The token with which a worker has it now, or ``None``."""
        if self.status is not ChunkStatus.RUNNING:
            return None
        if self.worker_id == worker_id:
            return self.token
        is_second = self.second is not None and self.second.worker_id == worker_id
        return self.second.token if self.second and is_second else None


class ChunkChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision on a chunk leads to."""

    chunk: Chunk
    events: tuple[Event, ...] = ()
    settled: int = 0
    """+1 when the chunk came to rest with this change (completed or dead letter)."""


CHUNK_MARK = "_chunk_"
"""Parts a chunk's name into its job's id and its index."""


def chunk_id(job_id: str, index: int) -> str:
    """The name of a chunk to the outside (CONTRACTS section 5)."""
    return f"{job_id}{CHUNK_MARK}{index}"


@lru_cache(4096)
def parse_chunk_id(name: str) -> tuple[str, int] | None:
    """Job and index that a chunk's name stands for, or ``None`` when it is none."""
    job_id, mark, index = name.rpartition(CHUNK_MARK)
    is_number = index.isascii() and index.isdigit() and len(index) <= 6
    return (job_id, int(index)) if mark and job_id and is_number else None
