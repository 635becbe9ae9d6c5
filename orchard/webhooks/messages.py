"""Messages: which events are told, and in which words (Standard Webhooks: type, timestamp, data).

A message has the same id whenever it is made again of the same event, so that nobody is
told twice who keeps the ids that he has seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from orchard.domain.jobs import Job

TYPES: Mapping[str, str] = {
    "job.created": "A recording was accepted.",
    "job.completed": "A job has its transcript.",
    "job.failed": "A job failed; `error` says why.",
    "job.cancelled": "A job was ended by hand.",
    "job.removed": "A job is gone: deleted by hand, or expired.",
    "issue.checked_out": "A process holds an issue now.",
    "issue.checked_in": "A process gave an issue back, with its result.",
    "issue.orphaned": "The holder of an issue was found dead, and the issue was taken from it.",
}
"""What can be told, and when it is."""
TEST = "webhook.test"
"""Told to one endpoint, when somebody asks for it."""

_ENDS = ("completed", "failed", "cancelled")
_SUBJECT_MAX = 100
# How the events begin that may be told; most of the traffic is others, and is not even decoded.
_TELLING = tuple(
    f'{{"name":"{name}",'.encode()
    for name in ("job.created", "job.advanced", "job.removed", "issue.checked_out",
                 "issue.checked_in", "issue.orphaned")
)  # fmt: skip
_decoder = msgspec.json.Decoder(dict[str, Any])


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be told."""

    id: str
    type: str
    subject: str
    payload: str
    at: datetime


def message_of(raw: bytes) -> Message | None:
    """What is told of an event; ``None`` for one that is not, or was put there by hand."""
    if not raw.startswith(_TELLING):
        return None
    try:
        event = _decoder.decode(raw)
        at = msgspec.convert(event.pop("at", None), datetime)
        return _made(_type_of(event.pop("name"), event), _subject_of(event), at, event)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError, TypeError):
        return None


def message_of_end(job: Job) -> Message | None:
    """What was to be told of a job's end, when its event is no longer there."""
    if not job.has_ended:
        return None
    facts: dict[str, Any] = {
        "job_id": job.job_id, "status": str(job.status), "total_chunks": job.total_chunks,
        "completed_chunks": job.completed_chunks, "failed_chunks": job.failed_chunks,
    }  # fmt: skip
    if job.error:
        facts["error"] = job.error
    return _made(f"job.{job.status}", f"job:{job.job_id}", job.updated_at, facts)


def test_message(at: datetime, name: str) -> Message:
    """A message that says nothing but that messages arrive; ``name`` makes it one of its own."""
    facts = {"message": "This is a test: webhooks arrive here."}
    found = _made(TEST, f"test:{name}", at, facts)
    assert found is not None  # noqa: S101 - its type is one, and its subject is short
    return found


def _made(kind: str, subject: str, at: datetime, facts: dict[str, Any]) -> Message | None:
    if kind not in TYPES and kind != TEST:
        return None
    if len(subject) > _SUBJECT_MAX or not subject.isprintable():
        return None
    told = {"type": kind, "timestamp": at.astimezone(UTC), "data": facts}
    mark = f"{kind}\0{subject}\0{at.timestamp():.6f}"
    return Message(
        id=f"msg_{hashlib.sha256(mark.encode()).hexdigest()[:32]}", type=kind, subject=subject,
        payload=msgspec.json.encode(told).decode(), at=at,
    )  # fmt: skip


def _type_of(name: str, event: Mapping[str, Any]) -> str:
    if name != "job.advanced":
        return name
    return f"job.{event['status']}" if event["status"] in _ENDS else ""


def _subject_of(event: Mapping[str, Any]) -> str:
    return f"job:{event['job_id']}" if "job_id" in event else f"issue:{event['issue']}"
