"""Records to JSON and back, and the shapes that CONTRACTS section 5 promises."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from orchard.domain.chunks import Chunk, chunk_id
from orchard.domain.errors import DamagedRecord
from orchard.domain.events import Event
from orchard.domain.jobs import Job
from orchard.domain.schedules import Schedule
from orchard.domain.timeline import ChunkResult
from orchard.domain.workers import Worker

UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)
"""What reading JSON raises when it is none, is no text, or is nested too deep."""

R = TypeVar("R")

_encoder = msgspec.json.Encoder()
_jobs = msgspec.json.Decoder(Job)
_chunks = msgspec.json.Decoder(Chunk)
_workers = msgspec.json.Decoder(Worker)
_schedules = msgspec.json.Decoder(Schedule)
_results = msgspec.json.Decoder(ChunkResult)
_events: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


def encode_job(job: Job) -> bytes:
    """The value of ``job:<id>``: the contract's JSON, and what the orchard needs besides."""
    if job.chunks is None:
        return _encoder.encode(job)
    whole = msgspec.to_builtins(job)
    return _encoder.encode(whole | {"chunks": _contract_chunks(job.job_id, job.chunks)})


def decode_job(raw: bytes) -> Job:
    """The job in a value of ``job:<id>``.

    Raises:
        DamagedRecord: another program has written something else.
    """
    return _decoded(_jobs, raw, "job")


def encode_chunk(chunk: Chunk) -> bytes:
    """One field of ``chunks:<job_id>``."""
    return _encoder.encode(chunk)


def decode_chunk(raw: bytes) -> Chunk:
    """The chunk in a field of ``chunks:<job_id>``.

    Raises:
        DamagedRecord: another program has written something else.
    """
    return _decoded(_chunks, raw, "chunk")


def encode_result(result: ChunkResult) -> bytes:
    """One field of ``results:<job_id>``."""
    return _encoder.encode(result)


def decode_result(raw: bytes) -> ChunkResult:
    """The chunk's result in a field of ``results:<job_id>``.

    Raises:
        DamagedRecord: another program has written something else.
    """
    return _decoded(_results, raw, "result")


def encode_worker(worker: Worker) -> bytes:
    """The value of ``worker:<url>``."""
    return _encoder.encode(worker)


def decode_worker(raw: bytes) -> Worker:
    """The worker in a value of ``worker:<url>``.

    Raises:
        DamagedRecord: another program has written something else.
    """
    return _decoded(_workers, raw, "worker")


def encode_schedule(schedule: Schedule) -> bytes:
    """The value of ``schedule:<id>``."""
    return _encoder.encode(schedule)


def decode_schedule(raw: bytes) -> Schedule:
    """The schedule in a value of ``schedule:<id>``.

    Raises:
        DamagedRecord: another program has written something else.
    """
    return _decoded(_schedules, raw, "schedule")


def readable(decode: Callable[[bytes], R], raws: Iterable[bytes | None]) -> list[R]:
    """The records of a list that are there; a damaged one (`doctor` names it) spoils no other."""
    found = []
    for raw in raws:
        with suppress(DamagedRecord):
            found += [] if raw is None else [decode(raw)]
    return found


def encode_event(event: Event) -> bytes:
    """One entry of the events stream."""
    return _encoder.encode(event)


def decode_event(raw: bytes) -> Event | None:
    """The event in an entry of the stream; ``None`` for the state side's, or a newer one."""
    try:
        return _events.decode(raw)
    except UNREADABLE:
        return None


def contract_job(job: Job, chunks: Sequence[Chunk]) -> dict[str, Any]:
    """A job as REST answers it, always with its chunk list."""
    shape: dict[str, Any] = msgspec.to_builtins(job)
    shape |= {"chunks": _contract_chunks(job.job_id, chunks)}
    return shape


def contract_worker(worker: Worker) -> dict[str, Any]:
    """A worker as REST answers it."""
    shape: dict[str, Any] = msgspec.to_builtins(worker)
    return shape | {"worker_id": worker.worker_id}


def _decoded(decoder: msgspec.json.Decoder[R], raw: bytes, what: str) -> R:
    try:
        return decoder.decode(raw)
    except UNREADABLE as fault:
        raise DamagedRecord(f"The record of a {what} is damaged: {fault}") from None


def _contract_chunks(job_id: str, chunks: Sequence[Chunk]) -> list[dict[str, Any]]:
    return [
        {
            "chunk_id": chunk_id(job_id, chunk.index),
            "worker_url": None,
            "status": "waiting",
            "started_at": None,
            "completed_at": None,
        }
        | msgspec.to_builtins(chunk)
        for chunk in chunks
    ]
