"""Workers: phones and PCs that transcribe chunks, and what the master knows of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from orchard.domain.errors import InvalidInput, WorkerUnavailable
from orchard.domain.events import Event, WorkerChanged, WorkerRegistered
from orchard.domain.lifecycle import WorkerStatus
from orchard.domain.nodes import AWAY, NodeHealth
from orchard.domain.orders import AUDIO

RECORDINGS = (AUDIO,)
"""What a worker does that says nothing of types."""
SPEEDS_KEPT = 20
"""How many measurements of its speed a worker keeps (CONTRACTS section 5)."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HOST = r"((?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,200})(?::\d{1,5})?)"
"""A name, or an IPv6 address in brackets; and a port."""
_URL = re.compile(rf"(https?)://{_HOST}/*", re.ASCII)
_URL_ID = re.compile(rf"(https?)-{_HOST}", re.ASCII)


class Speed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How fast one chunk was done; lower ratios are faster."""

    chunk_duration_sec: float
    processing_time_sec: float
    speed_ratio: float
    timestamp: datetime
    job_type: str = AUDIO
    """Of what; a pace is that of sound."""


class Worker(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One worker. The first fields are the contract's."""

    url: str
    status: WorkerStatus
    is_processing: bool
    last_updated: datetime
    metadata: dict[str, Any]
    pending_chunks: tuple[str, ...]
    performance_history: tuple[Speed, ...]
    mode: str = "pull"
    concurrency: int = 1
    draining: bool = False
    paused: bool = False
    completed: int = 0
    """Chunks it has done since it registered."""
    registered_at: datetime | None = None
    types: tuple[str, ...] = RECORDINGS
    """The types of jobs that it can do."""
    labels: tuple[str, ...] = ()
    """What it has, such as ``gpu``; jobs may demand it."""
    node: NodeHealth | None = None
    """How a push node is doing, once it was asked."""

    @property
    def is_away(self) -> bool:
        """Whether it is a push node that nothing is heard of."""
        return self.node is not None and self.node.condition in AWAY

    @property
    def kept_from(self) -> datetime:
        """When somebody last heard of it, or looked for it: from then on its record is kept."""
        checked = self.node.checked_at if self.node else None
        return max(self.last_updated, checked) if checked else self.last_updated

    @property
    def worker_id(self) -> str:
        """Its name in addresses."""
        return worker_id(self.url)


class WorkerChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision on a worker leads to."""

    worker: Worker
    events: tuple[Event, ...] = ()


def worker_id(url: str) -> str:
    """The id that stands for a worker's URL: an agent's name, or ``http-host:port``."""
    scheme, _, rest = url.partition("://")
    return rest if scheme == "agent" else f"{scheme}-{rest}"


@lru_cache(4096)
def worker_url(worker: str) -> str | None:
    """The URL that a worker's id stands for, or ``None`` when it is no id."""
    if found := _URL_ID.fullmatch(worker):
        return f"{found[1]}://{found[2]}"
    return f"agent://{worker}" if _NAME.fullmatch(worker) else None


def check_name(name: str) -> str:
    """The URL of a pull agent of this name.

    Raises:
        InvalidInput: the name has characters it may not have, or looks like a URL's id.
    """
    if not _NAME.fullmatch(name) or _URL_ID.fullmatch(name):
        raise InvalidInput("name", "use 1 to 64 letters, digits, dots, dashes and underscores")
    return f"agent://{name}"


def check_url(url: str) -> str:
    """A push node's URL in one spelling: with a scheme, without a slash at the end.

    Raises:
        InvalidInput: it is empty, or not the address of a host.
    """
    text = url.strip()
    if not text:
        raise InvalidInput("url", "URL is required")
    found = _URL.fullmatch(text if "://" in text else f"http://{text}")
    if not found:
        raise InvalidInput("url", "not an http address of a host and port")
    return f"{found[1]}://{found[2].lower()}"


def register_worker(
    known: Worker | None, url: str, *, mode: str, concurrency: int, metadata: dict[str, Any],
    at: datetime, types: Sequence[str] = RECORDINGS, labels: Sequence[str] = (),
) -> WorkerChange:  # fmt: skip
    """Take a worker into the fleet; one that comes back keeps its history and takes work again.

    An agent that comes back knows nothing of what it held; a push node is asked for it by others.
    """
    # The very default, which no record spells out.
    does = RECORDINGS if tuple(types) == RECORDINGS else tuple(types)
    if known:
        pending = known.pending_chunks if mode == "push" else ()
        back = msgspec.structs.replace(
            known, metadata=metadata or known.metadata, concurrency=concurrency, mode=mode,
            types=does, labels=tuple(labels), draining=False, last_updated=at,
            status=_status(pending), pending_chunks=pending,
            is_processing=bool(pending),
        )  # fmt: skip
        return _changed(known, back, at)
    worker = Worker(
        url=url, status=WorkerStatus.ONLINE, is_processing=False, last_updated=at,
        metadata=metadata, pending_chunks=(), performance_history=(), mode=mode,
        concurrency=concurrency, registered_at=at, types=does, labels=tuple(labels),
    )  # fmt: skip
    event = WorkerRegistered(at=at, worker_id=worker.worker_id, url=url, mode=mode)
    return WorkerChange(worker=worker, events=(event,))


def hear_from(
    worker: Worker, *, at: datetime, gained: Sequence[str] = (), lost: Sequence[str] = (),
    speeds: Sequence[Speed] = (),
) -> WorkerChange:  # fmt: skip
    """Note a sign of life, with chunks it got or no longer holds.

    What others note of a push node that is away is no sign of life of its own.
    """
    kept = [name for name in worker.pending_chunks if name not in lost]
    pending = tuple(dict.fromkeys([*kept, *gained]))
    history = (*worker.performance_history, *speeds)[-SPEEDS_KEPT:]
    is_away = worker.is_away and not speeds
    heard = msgspec.structs.replace(
        worker, last_updated=worker.last_updated if is_away else at, pending_chunks=pending,
        is_processing=bool(pending), performance_history=history,
        status=WorkerStatus.OFFLINE if is_away else _status(pending),
        completed=worker.completed + len(speeds),
    )  # fmt: skip
    return _changed(worker, heard, at)


def note_node(worker: Worker, node: NodeHealth, *, at: datetime) -> WorkerChange:
    """Note how a push node is doing; any answer of it is a sign of life."""
    noted = msgspec.structs.replace(worker, node=node)
    if noted.is_away:
        away = msgspec.structs.replace(noted, status=WorkerStatus.OFFLINE)
        return _changed(worker, away, at)
    alive = msgspec.structs.replace(noted, status=_status(worker.pending_chunks), last_updated=at)
    return _changed(worker, alive, at)


def fall_silent(worker: Worker, *, at: datetime) -> WorkerChange:
    """Note that nothing was heard from it for too long. Its last sign of life stays as it is."""
    return _changed(worker, msgspec.structs.replace(worker, status=WorkerStatus.OFFLINE), at)


def direct_worker(
    worker: Worker,
    *,
    draining: bool | None = None,
    paused: bool | None = None,
    at: datetime,
) -> WorkerChange:
    """Drain, pause or resume a worker by hand."""
    directed = msgspec.structs.replace(
        worker,
        draining=worker.draining if draining is None else draining,
        paused=worker.paused if paused is None else paused,
    )
    return _changed(worker, directed, at)


def check_available(worker: Worker) -> None:
    """Let only a worker that may take work claim some.

    Raises:
        WorkerUnavailable: it is draining or paused.
    """
    if worker.draining:
        raise WorkerUnavailable("the worker is draining", state="draining")
    if worker.paused:
        raise WorkerUnavailable("the worker is paused", state="paused")


def measure(duration_ms: int, time_ms: int, *, at: datetime, job_type: str = AUDIO) -> Speed:
    """How fast a chunk was done (CONTRACTS section 5: processing time / sound)."""
    seconds, took = max(duration_ms, 1) / 1000, time_ms / 1000
    return Speed(
        chunk_duration_sec=round(seconds, 3), processing_time_sec=round(took, 3),
        speed_ratio=round(took / seconds, 4), timestamp=at, job_type=job_type,
    )  # fmt: skip


def _status(pending: Sequence[str]) -> WorkerStatus:
    return WorkerStatus.BUSY if pending else WorkerStatus.ONLINE


def _changed(before: Worker, after: Worker, at: datetime) -> WorkerChange:
    shown = ("status", "draining", "paused", "pending_chunks")
    is_same = all(getattr(before, name) == getattr(after, name) for name in shown)
    if is_same and _trouble(before) == _trouble(after):
        return WorkerChange(worker=after)
    event = WorkerChanged(
        at=at, worker_id=after.worker_id, status=after.status, draining=after.draining,
        paused=after.paused, pending_chunks=after.pending_chunks,
        condition=str(after.node.condition) if after.node else "",
    )  # fmt: skip
    return WorkerChange(worker=after, events=(event,))


def _trouble(worker: Worker) -> tuple[object, ...]:
    """What people are shown of a push node's condition."""
    node = worker.node
    return (node.condition, node.reason, node.failures) if node else ()
