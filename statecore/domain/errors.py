"""What the state side refuses, and why. The class docstring is the default message."""

from __future__ import annotations


class StateError(Exception):
    """Something was refused."""

    code = "refused"

    def __init__(self, message: str = "", **facts: object) -> None:
        super().__init__(message or type(self).__doc__ or "")
        self.facts = facts
        """What a program can read of the reason, such as ``holder``."""


class InvalidInput(StateError):
    """The input is not valid."""

    code = "invalid"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}", detail={field: [reason]})
        self.field = field


class TooLarge(InvalidInput):
    """A value is larger than it may be."""

    code = "too_large"


class DamagedRecord(StateError):
    """What is stored here is no record that this system could have written."""

    code = "damaged"


class NotFound(StateError):
    """There is no such thing."""

    code = "not_found"


class UnknownIssue(NotFound):
    """Issue not found"""

    code = "unknown_issue"


class UnknownProcess(NotFound):
    """Process not found"""

    code = "unknown_process"


class UnknownLock(NotFound):
    """Nobody holds this lock"""

    code = "unknown_lock"


class UnknownEntry(NotFound):
    """There is no such entry"""

    code = "unknown_entry"


class UnknownLabelRequest(NotFound):
    """Label request not found"""

    code = "unknown_label_request"


class HeldByAnother(StateError):
    """Somebody else holds it; ``holder`` says who."""

    code = "held"


class NotCheckedOut(StateError):
    """The issue is not checked out."""

    code = "not_checked_out"


class StaleToken(StateError):
    """Somebody else has held this since; the report came too late."""

    code = "stale_token"


class TransitionRefused(StateError):
    """The state it is in does not allow this."""

    code = "transition_refused"


class VersionConflict(StateError):
    """The entry is no longer what it was expected to be."""

    code = "version_conflict"


class NestedTransaction(StateError):
    """A transaction cannot be begun inside another one."""

    code = "nested_transaction"


class LockTimeout(StateError):
    """The lock was not free in time."""

    code = "lock_timeout"
