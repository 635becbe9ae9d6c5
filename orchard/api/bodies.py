"""What agents send: bodies of the hot paths, checked while they are read.

They are in the API document too, see :mod:`orchard.api.schema`. A field that is
not known is ignored, so that newer agents can talk to older masters.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from orchard.api.wire import DEEPEST, depth
from orchard.domain.errors import InvalidInput
from orchard.domain.timeline import ChunkResult
from orchard.services.claims import MAX_BATCH
from statecore.api import parsing

FREE_MAX_BYTES = 16_384
"""Most JSON in a field that may hold anything."""

B = TypeVar("B", bound=msgspec.Struct)

Ms = Annotated[int, Meta(ge=0, le=2**40, description="Milliseconds.")]
Fence = Annotated[int, Meta(ge=0, le=2**53, description="Fencing token of the claim.")]
WorkerName = Annotated[str, Meta(min_length=1, max_length=300, examples=["kitchen-pc"])]
ChunkName = Annotated[str, Meta(max_length=100, examples=["4f2a9c1be07d3386_chunk_0"])]
JobTypeName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}$", examples=["text"])]
Text = Annotated[str, Meta(max_length=1_000_000)]
Share = Annotated[float, Meta(ge=0, le=1)]


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    pass


class RegisterBody(_Body, frozen=True, kw_only=True):
    """A worker that joins: an agent by its name, or a push node by its URL."""

    name: Annotated[str, Meta(max_length=64, examples=["kitchen-pc"])] = ""
    url: Annotated[str, Meta(max_length=300)] = ""
    mode: Literal["pull", "push"] | None = None
    capabilities: dict[str, Any] = {}
    types: Annotated[
        list[JobTypeName], Meta(max_length=32, description="`audio` unless given.")
    ] = []
    labels: Annotated[list[str], Meta(max_length=32, examples=[["gpu", "site=tokyo"]])] = []
    concurrency: Annotated[int, Meta(ge=1, le=64)] = 1


class Lease(_Body, frozen=True, kw_only=True):
    """A chunk that a worker believes to hold."""

    chunk_id: ChunkName
    token: Fence


class HeartbeatBody(_Body, frozen=True, kw_only=True):
    """A sign of life, with the leases to extend."""

    leases: Annotated[list[Lease], Meta(max_length=MAX_BATCH)] = []


class ClaimBody(_Body, frozen=True, kw_only=True):
    """How many chunks a worker wants, and how long it will wait for the first."""

    max: Annotated[int, Meta(ge=1, le=MAX_BATCH)] = 1
    wait_s: Annotated[float, Meta(ge=0, le=60)] = 0


class ProgressBody(_Body, frozen=True, kw_only=True):
    """How far a worker is with a chunk."""

    worker_id: WorkerName
    token: Fence
    progress: Share


class HeardWord(_Body, frozen=True, kw_only=True):
    """One word; times count from the start of the chunk."""

    start_ms: Ms
    end_ms: Ms
    text: Annotated[str, Meta(max_length=1000)]
    confidence: float | None = None


class HeardLine(_Body, frozen=True, kw_only=True):
    """One line; times count from the start of the chunk."""

    start_ms: Ms
    end_ms: Ms
    text: Text
    words: Annotated[list[HeardWord], Meta(max_length=10_000)] = []
    speaker: Annotated[str, Meta(max_length=100)] = ""
    avg_logprob: float | None = None
    no_speech_prob: float | None = None
    compression_ratio: float | None = None


class CompleteBody(_Body, frozen=True, kw_only=True):
    """What a worker heard in a chunk."""

    worker_id: WorkerName
    token: Fence
    text: Text
    time_ms: Ms
    segments: Annotated[list[HeardLine], Meta(max_length=10_000)] = []
    metadata: dict[str, Any] = {}

    def result(self) -> ChunkResult:
        """The result as the orchard keeps it."""
        check_free("metadata", self.metadata)
        return msgspec.convert(self, ChunkResult, from_attributes=True)


class FailBody(_Body, frozen=True, kw_only=True):
    """Why a worker could not do a chunk; handing one back costs no attempt."""

    worker_id: WorkerName
    token: Fence
    error: Annotated[str, Meta(max_length=10_000)]
    retry: bool = True
    handback: bool = False


BODIES = (RegisterBody, HeartbeatBody, ClaimBody, ProgressBody, CompleteBody, FailBody)


def parse_body(shape: type[B], given: Any) -> B:
    """The checked content of a body.

    Raises:
        InvalidInput: it has another shape; names the field and the reason.
    """
    return parsing.parse_body(shape, given, InvalidInput)


def check_free(field: str, value: dict[str, Any]) -> None:
    """Keep fields that may hold anything within reason.

    Raises:
        InvalidInput: it is nested too deep, or too large.
    """
    if depth(value) > DEEPEST:
        raise InvalidInput(field, f"nested deeper than {DEEPEST} levels")
    if len(msgspec.json.encode(value)) > FREE_MAX_BYTES:
        raise InvalidInput(field, f"larger than {FREE_MAX_BYTES} bytes of JSON")
