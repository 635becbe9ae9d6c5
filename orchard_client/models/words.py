"""Words of the API that stand for states; a newer server may have more of them."""

from __future__ import annotations

from enum import StrEnum


class Word(StrEnum):
    """One of several words, known or new."""

    @classmethod
    def _missing_(cls, value: object) -> Word | None:
        if not isinstance(value, str):
            return None
        new = str.__new__(cls, value)
        new._name_, new._value_ = value, value
        return new


class JobStatus(Word):
    """Where a job is."""

    CREATED = "created"
    PURIFYING = "purifying"
    SPLITTING = "splitting"
    PROCESSING = "processing"
    AGGREGATING = "aggregating"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)


class ChunkStatus(Word):
    """Where a chunk is."""

    WAITING = "waiting"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class WorkerStatus(Word):
    """Whether a worker is heard of, and has something to do."""

    ONLINE = "online"
    BUSY = "busy"
    OFFLINE = "offline"


class NodeCondition(Word):
    """How a push node does."""

    WELL = "well"
    UNREACHABLE = "unreachable"
    BREAKING = "breaking"
    FAILING = "failing"
    NONSENSE = "nonsense"
    SLOW = "slow"
    FORBIDDEN = "forbidden"


class Outcome(Word):
    """What became of a report."""

    ACCEPTED = "accepted"
    REPEATED = "repeated"
    REFUSED = "refused"


class IssueStatus(Word):
    """Where an issue is."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    AWAITING_RESPONSE = "awaiting-response"
    ERROR = "error"


class LabelStatus(Word):
    """Where a label request is."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


class DeliveryState(Word):
    """Where a message to a webhook is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
