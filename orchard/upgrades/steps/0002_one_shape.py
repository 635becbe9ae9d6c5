"""Records of jobs, chunks, results and workers in the shape in which they are written now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from orchard import codec, keys
from orchard.domain.chunks import Chunk
from orchard.domain.jobs import Job
from orchard.domain.timeline import ChunkResult
from orchard.domain.workers import Worker
from orchard.upgrades.shapes import keep_unknown
from orchard.upgrades.step import Change, Record, Step

_SHAPES: dict[str, tuple[type[msgspec.Struct], Callable[[bytes], Any], Callable[[Any], bytes]]] = {
    keys.job(""): (Job, codec.decode_job, codec.encode_job),
    keys.chunks(""): (Chunk, codec.decode_chunk, codec.encode_chunk),
    keys.results(""): (ChunkResult, codec.decode_result, codec.encode_result),
    keys.worker(""): (Worker, codec.decode_worker, codec.encode_worker),
}


def plan(record: Record) -> Change | None:
    """The record as it is written today; what no release of ours knows in it stays.

    Raises:
        DamagedRecord: it is none.
    """
    kind = next(kind for kind in _SHAPES if record.key.startswith(kind))
    shape, decode, encode = _SHAPES[kind]
    today = keep_unknown(shape, record.value, encode(decode(record.value)))
    return None if today == record.value else record.rewritten(today)


STEP = Step(
    version=2,
    what="write records of jobs, chunks, results and workers as they are written today",
    kinds=tuple(_SHAPES),
    plan=plan,
)
