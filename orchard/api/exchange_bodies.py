"""What an agent sends in an exchange: all that it has to say, checked while it is read."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from orchard.api.bodies import HeardLine, Lease, Ms, Share, Text, check_free
from orchard.domain.timeline import ChunkResult
from orchard.services.claims import MAX_BATCH
from orchard.services.said import Report, Said, Setback, Sign


class Heard(Lease, frozen=True, kw_only=True):
    """What a worker heard in one chunk."""

    text: Text
    time_ms: Ms
    segments: Annotated[list[HeardLine], Meta(max_length=10_000)] = []
    metadata: dict[str, Any] = {}


class Broken(Lease, frozen=True, kw_only=True):
    """Why a worker could not do one chunk; handing one back costs no attempt."""

    error: Annotated[str, Meta(max_length=10_000)]
    retry: bool = True
    handback: bool = False


class Further(Lease, frozen=True, kw_only=True):
    """How far a worker is with one chunk."""

    progress: Share


class ExchangeBody(msgspec.Struct, frozen=True, kw_only=True):
    """Results, failures and progress, the leases to extend, and how many chunks to give.

    ``leases`` names what the worker holds besides what it reports on here.
    """

    results: Annotated[list[Heard], Meta(max_length=MAX_BATCH)] = []
    failures: Annotated[list[Broken], Meta(max_length=MAX_BATCH)] = []
    progress: Annotated[list[Further], Meta(max_length=MAX_BATCH)] = []
    leases: Annotated[list[Lease], Meta(max_length=MAX_BATCH)] = []
    max: Annotated[int, Meta(ge=0, le=MAX_BATCH)] = 1
    wait_s: Annotated[float, Meta(ge=0, le=60)] = 0

    def said(self, worker_id: str) -> list[Said]:
        """All that the worker says: results, failures, progress and leases, in this order.

        Raises:
            InvalidInput: metadata of a result are nested too deep, or too large.
        """
        for number, one in enumerate(self.results):
            check_free(f"results[{number}].metadata", one.metadata)
        return [
            *(_report(worker_id, one) for one in self.results),
            *(_setback(worker_id, one) for one in self.failures),
            *(_sign(worker_id, one, one.progress) for one in self.progress),
            *(_sign(worker_id, one) for one in self.leases),
        ]


def _report(worker_id: str, one: Heard) -> Report:
    result = msgspec.convert(one, ChunkResult, from_attributes=True)
    return Report(chunk_id=one.chunk_id, worker_id=worker_id, token=one.token, result=result)


def _setback(worker_id: str, one: Broken) -> Setback:
    return Setback(
        chunk_id=one.chunk_id, worker_id=worker_id, token=one.token, error=one.error,
        retry=one.retry, handback=one.handback,
    )  # fmt: skip


def _sign(worker_id: str, one: Lease, share: float | None = None) -> Sign:
    return Sign(chunk_id=one.chunk_id, worker_id=worker_id, token=one.token, share=share)
