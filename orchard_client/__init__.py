"""Orchard's client: everything its API can do, typed, waited for or awaited.

>>> from orchard_client import Client
>>> with Client() as orchard:
...     print(orchard.jobs.transcribe("recording.wav", "srt"))

What is imported from here is loaded then, and not before: agents on small boards need little of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from orchard_client.version import __version__ as __version__

if TYPE_CHECKING:
    from orchard_client.clients import AsyncClient as AsyncClient
    from orchard_client.clients import Client as Client
    from orchard_client.errors import BadAnswer as BadAnswer
    from orchard_client.errors import Changed as Changed
    from orchard_client.errors import ConfigurationError as ConfigurationError
    from orchard_client.errors import Conflict as Conflict
    from orchard_client.errors import Forbidden as Forbidden
    from orchard_client.errors import Held as Held
    from orchard_client.errors import InvalidInput as InvalidInput
    from orchard_client.errors import JobNotCompleted as JobNotCompleted
    from orchard_client.errors import LeaseLost as LeaseLost
    from orchard_client.errors import NotFound as NotFound
    from orchard_client.errors import NotSignedIn as NotSignedIn
    from orchard_client.errors import OrchardError as OrchardError
    from orchard_client.errors import Refused as Refused
    from orchard_client.errors import ServerFault as ServerFault
    from orchard_client.errors import StaleToken as StaleToken
    from orchard_client.errors import Throttled as Throttled
    from orchard_client.errors import TooLarge as TooLarge
    from orchard_client.errors import Unavailable as Unavailable
    from orchard_client.errors import Unreachable as Unreachable
    from orchard_client.errors import WaitedTooLong as WaitedTooLong
    from orchard_client.leases import HeldIssue as HeldIssue
    from orchard_client.leases import HeldLock as HeldLock
    from orchard_client.models.issues import Issue as Issue
    from orchard_client.models.issues import LabelRequest as LabelRequest
    from orchard_client.models.issues import Lock as Lock
    from orchard_client.models.issues import Orphan as Orphan
    from orchard_client.models.issues import Process as Process
    from orchard_client.models.jobs import Chunk as Chunk
    from orchard_client.models.jobs import Job as Job
    from orchard_client.models.jobs import Line as Line
    from orchard_client.models.jobs import Result as Result
    from orchard_client.models.state import Change as Change
    from orchard_client.models.state import Entry as Entry
    from orchard_client.models.state import Event as Event
    from orchard_client.models.state import Health as Health
    from orchard_client.models.state import LogLine as LogLine
    from orchard_client.models.state import Namespace as Namespace
    from orchard_client.models.state import Put as Put
    from orchard_client.models.words import ChunkStatus as ChunkStatus
    from orchard_client.models.words import IssueStatus as IssueStatus
    from orchard_client.models.words import JobStatus as JobStatus
    from orchard_client.models.words import WorkerStatus as WorkerStatus
    from orchard_client.models.workers import Worker as Worker
    from orchard_client.settings import Server as Server
    from orchard_client.settings import find_server as find_server

_PLACES = {
    "clients": "AsyncClient Client",
    "errors": (
        "BadAnswer Changed ConfigurationError Conflict Forbidden Held InvalidInput "
        "JobNotCompleted LeaseLost NotFound NotSignedIn OrchardError Refused ServerFault "
        "StaleToken Throttled TooLarge Unavailable Unreachable WaitedTooLong"
    ),
    "leases": "HeldIssue HeldLock",
    "models.issues": "Issue LabelRequest Lock Orphan Process",
    "models.jobs": "Chunk Job Line Result",
    "models.state": "Change Entry Event Health LogLine Namespace Put",
    "models.words": "ChunkStatus IssueStatus JobStatus WorkerStatus",
    "models.workers": "Worker",
    "settings": "Server find_server",
}
_PLACE_OF = {name: place for place, names in _PLACES.items() for name in names.split()}

__all__ = [*sorted(_PLACE_OF), "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _PLACE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACE_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
