"""Shapes of bodies in JSON. They are in the API document too.

A field that is not known is ignored, so that newer agents can talk to older
sites, and what was answered can be sent back.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from statecore.domain.lifecycle import IssueStatus

MAX_CHANGES = 1000
"""Most entries that one transaction may change."""
MAX_REPAIRS = 200
"""Most orphans that one request may repair."""
LONGEST_WAIT_S = 60

_STATUSES = {"enum": [str(status) for status in IssueStatus]}

Name = Annotated[str, Meta(max_length=20_000, examples=["agent-7"])]
"""A name that the domain checks; it says better what is wrong than a pattern could."""
Word = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Status = Annotated[str, Meta(max_length=100, extra_json_schema=_STATUSES)]
Fence = Annotated[int, Meta(ge=0, le=2**53, description="Fencing token of the holder.")]
Version = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Pid = Annotated[int, Meta(ge=1, le=2**32, description="Process id on its host.")]
Lease = Annotated[float, Meta(gt=0, le=86_400, description="Seconds.")]


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    pass


class CheckoutBody(_Body, frozen=True, kw_only=True):
    """Who takes an issue, and for how long at a time."""

    process_id: Name
    task_type: Word | None = None
    pid: Pid | None = None
    host: Word | None = None
    ttl_s: Lease | None = None


class ClaimantBody(_Body, frozen=True, kw_only=True):
    """Who says that it holds an issue."""

    process_id: Name | None = None
    token: Fence | None = None


class CheckinBody(ClaimantBody, frozen=True, kw_only=True):
    """What came of an issue."""

    status: Status = "completed"
    result: Any = {}


class UpdateBody(ClaimantBody, frozen=True, kw_only=True):
    """The state that an issue should have, and metadata to add."""

    status: Status
    metadata: dict[str, Any] = {}


class RepairBody(_Body, frozen=True, kw_only=True):
    """Which orphans to repair; all of them unless said otherwise."""

    numbers: Annotated[list[int], Meta(max_length=MAX_REPAIRS)] | None = None


class RegisterProcessBody(_Body, frozen=True, kw_only=True):
    """A process that announces itself."""

    process_id: Name
    pid: Pid | None = None
    host: Word | None = None
    role: Word = "agent"
    task_type: Word | None = None


class AcquireBody(_Body, frozen=True, kw_only=True):
    """Who wants a lock, for how long, and how long it will wait for it."""

    owner: Name
    ttl_s: Lease | None = None
    wait_s: Annotated[float, Meta(ge=0, le=LONGEST_WAIT_S, description="Seconds.")] = 0


class RenewBody(_Body, frozen=True, kw_only=True):
    """Who holds a lock, and for how long from now."""

    owner: Name
    token: Fence | None = None
    ttl_s: Lease | None = None


class ReleaseBody(_Body, frozen=True, kw_only=True):
    """Who gives a lock back."""

    owner: Name | None = None
    token: Fence | None = None


class ChangeBody(_Body, frozen=True, kw_only=True):
    """One entry to set, or to delete."""

    namespace: Name
    key: Name
    value: Any | UnsetType = UNSET
    delete: bool = False
    if_version: Version | None = None
    if_absent: bool = False


class TransactionBody(_Body, frozen=True, kw_only=True):
    """Changes that all happen, or none."""

    changes: Annotated[list[ChangeBody], Meta(max_length=MAX_CHANGES)]


class NamespaceBody(_Body, frozen=True, kw_only=True):
    """All that a namespace should hold."""

    values: dict[str, Any]


BODIES = (
    CheckoutBody, ClaimantBody, CheckinBody, UpdateBody, RepairBody, RegisterProcessBody,
    AcquireBody, RenewBody, ReleaseBody, TransactionBody, NamespaceBody,
)  # fmt: skip
