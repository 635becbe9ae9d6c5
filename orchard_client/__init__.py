"""Orchard's client: everything its API can do, typed, waited for or awaited.

>>> from orchard_client import Client
>>> with Client() as orchard:
...     print(orchard.jobs.transcribe("recording.wav", "srt"))
"""

from __future__ import annotations

from orchard_client.clients import AsyncClient, Client
from orchard_client.errors import (
    BadAnswer,
    Changed,
    ConfigurationError,
    Conflict,
    Forbidden,
    Held,
    InvalidInput,
    JobNotCompleted,
    LeaseLost,
    NotFound,
    NotSignedIn,
    OrchardError,
    Refused,
    ServerFault,
    StaleToken,
    Throttled,
    TooLarge,
    Unavailable,
    Unreachable,
    WaitedTooLong,
)
from orchard_client.leases import HeldIssue, HeldLock
from orchard_client.models.issues import Issue, LabelRequest, Lock, Orphan, Process
from orchard_client.models.jobs import Chunk, Job, Line, Result
from orchard_client.models.state import Change, Entry, Event, Health, LogLine, Namespace, Put
from orchard_client.models.words import ChunkStatus, IssueStatus, JobStatus, WorkerStatus
from orchard_client.models.workers import Worker
from orchard_client.settings import Server, find_server
from orchard_client.version import __version__

__all__ = [
    "AsyncClient",
    "BadAnswer",
    "Change",
    "Changed",
    "Chunk",
    "ChunkStatus",
    "Client",
    "ConfigurationError",
    "Conflict",
    "Entry",
    "Event",
    "Forbidden",
    "Health",
    "Held",
    "HeldIssue",
    "HeldLock",
    "InvalidInput",
    "Issue",
    "IssueStatus",
    "Job",
    "JobNotCompleted",
    "JobStatus",
    "LabelRequest",
    "LeaseLost",
    "Line",
    "Lock",
    "LogLine",
    "Namespace",
    "NotFound",
    "NotSignedIn",
    "OrchardError",
    "Orphan",
    "Process",
    "Put",
    "Refused",
    "Result",
    "Server",
    "ServerFault",
    "StaleToken",
    "Throttled",
    "TooLarge",
    "Unavailable",
    "Unreachable",
    "WaitedTooLong",
    "Worker",
    "WorkerStatus",
    "__version__",
    "find_server",
]
