"""Workers, and what they are told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from orchard_client.models.base import Model
from orchard_client.models.jobs import Wishes
from orchard_client.models.words import ChunkStatus, NodeCondition, Outcome, WorkerStatus


class NodeHealth(Model, frozen=True, kw_only=True):
    """How a push node does, as its dispatcher sees it."""

    condition: NodeCondition
    reason: str = ""
    failures: int = 0
    checked_at: datetime | None = None
    retry_at: datetime | None = None
    failed_on: list[str] = []


class Worker(Model, frozen=True, kw_only=True):
    """A machine that helps."""

    worker_id: str
    url: str
    status: WorkerStatus
    is_processing: bool
    last_updated: datetime
    metadata: dict[str, Any]
    pending_chunks: list[str]
    performance_history: list[dict[str, Any]]
    draining: bool = False
    paused: bool = False
    types: list[str] = msgspec.field(default_factory=lambda: ["audio"])
    labels: list[str] = []
    node: NodeHealth | None = None
    heartbeat_s: float = 10.0
    """How often to give a sign of life."""
    lease_s: float = 30.0
    """How long a chunk is held without one."""


class WorkersPage(Model, frozen=True, kw_only=True):
    """All workers."""

    workers: list[Worker]
    count: int


class Again(Model, frozen=True, kw_only=True):
    """Why a chunk is done a second time, and how."""

    reason: str
    settings: str


class Claimed(Model, frozen=True, kw_only=True):
    """A chunk that is now the worker's to do."""

    chunk_id: str
    job_id: str
    index: int
    token: int
    attempts: int
    start_ms: int
    end_ms: int
    duration_ms: int
    language: str | None
    audio_url: str
    lease_s: float
    deadline: datetime
    wishes: Wishes | None = None
    again: Again | None = None
    is_duplicate: bool = False
    job_type: str = "audio"
    facts: dict[str, Any] = {}
    traceparent: str = ""
    """The span that the worker's own belongs in, where there are traces."""


class Claims(Model, frozen=True, kw_only=True):
    """What a claim has brought."""

    chunks: list[Claimed]
    draining: bool


class Heartbeat(Model, frozen=True, kw_only=True):
    """What a sign of life was answered."""

    worker: Worker
    extended: list[str]
    lost: list[str]


class Said(Model, frozen=True, kw_only=True):
    """What became of one report."""

    chunk_id: str
    outcome: Outcome
    status: str = ""
    code: str = ""
    error: str = ""
    holder: str = ""
    doubted: list[str] = []


class Exchanged(Model, frozen=True, kw_only=True):
    """What became of all reports of an exchange, and the next chunks."""

    worker: Worker
    results: list[Said]
    failures: list[Said]
    progress: list[Said]
    extended: list[str]
    lost: list[str]
    chunks: list[Claimed]
    draining: bool


class Accepted(Model, frozen=True, kw_only=True):
    """What became of a result."""

    accepted: bool
    repeated: bool
    doubted: list[str] = []
    """Why the chunk is done once more before anything counts."""


class Failed(Model, frozen=True, kw_only=True):
    """Where a chunk is after its worker has given up."""

    status: ChunkStatus


class Deadline(Model, frozen=True, kw_only=True):
    """Until when a chunk is held now."""

    deadline: datetime
