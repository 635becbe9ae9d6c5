"""What the orchard refuses, and why. The class docstring is the default message."""

from __future__ import annotations


class OrchardError(Exception):
    """Something was refused."""

    code = "refused"

    def __init__(self, message: str = "", **facts: object) -> None:
        super().__init__(message or type(self).__doc__ or "")
        self.facts = facts
        """What a program can read of the reason, such as ``holder``."""


class InvalidInput(OrchardError):
    """The input is not valid."""

    code = "invalid"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}", detail={field: [reason]})
        self.field = field


class NotFound(OrchardError):
    """There is no such thing."""

    code = "not_found"


class UnknownJob(NotFound):
    """Job not found"""

    code = "unknown_job"


class UnknownOutput(NotFound):
    """The job has led to no file (yet)"""

    code = "unknown_output"


class UnknownChunk(NotFound):
    """Chunk not found"""

    code = "unknown_chunk"


class UnknownWorker(NotFound):
    """Worker not found"""

    code = "unknown_worker"


class UnknownWebhook(NotFound):
    """There is no such webhook."""

    code = "unknown_webhook"


class UnknownDelivery(NotFound):
    """There is no such delivery; what was sent is kept for some weeks only."""

    code = "unknown_delivery"


class StaleToken(OrchardError):
    """Somebody else holds this work now; the report came too late."""

    code = "stale_token"


class TransitionRefused(OrchardError):
    """The state it is in does not allow this."""

    code = "transition_refused"


class DamagedRecord(OrchardError):
    """What stands in the engine here is no record that this system could have written."""

    code = "damaged"


class BadResult(OrchardError):
    """The result is not what was asked for; the chunk is done again."""

    code = "bad_result"


class QuotaExceeded(OrchardError):
    """There is no more room for this owner now."""

    code = "quota_exceeded"


class TextChanged(OrchardError):
    """Somebody else has edited this line meanwhile."""

    code = "text_changed"


class WorkerUnavailable(OrchardError):
    """The worker takes no more work."""

    code = "draining"


class StorageAway(OrchardError):
    """The storage of recordings is away; try again in a moment"""

    code = "storage_away"


class StorageFull(StorageAway):
    """There is no room left on the server's disk"""

    code = "storage_full"


class WorkerExists(OrchardError):
    """Worker already exists"""

    code = "worker_exists"
