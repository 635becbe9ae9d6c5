"""What can go wrong: one tree of errors, with the API's own code and reason in each refusal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class OrchardError(Exception):
    """Anything that this package raises on purpose."""


class ConfigurationError(OrchardError):
    """What the client was told about its server makes no sense."""


class Unreachable(OrchardError):
    """The server does not answer, for as long as it was worth trying."""


class BadAnswer(OrchardError):
    """Something answered, but not as this API does."""


class WaitedTooLong(OrchardError):
    """What was waited for has not happened in time."""


class JobNotCompleted(OrchardError):
    """A job has ended without a transcript."""

    def __init__(self, job_id: str, status: str, reason: str) -> None:
        super().__init__(f"job {job_id} {status}: {reason}" if reason else f"job {job_id} {status}")
        self.job_id = job_id
        self.status = status
        self.reason = reason


class LeaseLost(OrchardError):
    """What was held is held no longer: somebody else may have it."""


class Refused(OrchardError):
    """The server said no."""

    def __init__(
        self, status: int, code: str, reason: str, facts: Mapping[str, Any] | None = None,
        retry_after_s: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__(f"{reason} ({code})" if code else reason)
        self.status = status
        """Of HTTP."""
        self.code = code
        """The API's word for why, such as ``unknown_job``."""
        self.reason = reason
        """The same for people."""
        self.facts = dict(facts or {})
        """What else the answer says, such as ``detail`` by field."""
        self.retry_after_s = retry_after_s
        """When to try again, in seconds, if the server says so."""


class InvalidInput(Refused):
    """Something that was sent is wrong; ``facts["detail"]`` says which field."""


class NotSignedIn(Refused):
    """There was no token, or it does not count."""


class Forbidden(Refused):
    """The token lacks a scope, or the thing is somebody else's."""


class NotFound(Refused):
    """There is no such thing, or it has expired."""


class Conflict(Refused):
    """The state of the thing does not allow this."""

    @property
    def holder(self) -> str | None:
        """Who holds it, when that is why."""
        return self.facts.get("holder")


class Held(Conflict):
    """Somebody else holds it."""


class StaleToken(Conflict):
    """The fencing token is no longer the holder's."""


class Changed(Refused):
    """The entry is no longer what the change was meant for."""


class TooLarge(Refused):
    """There is more of it than may be sent."""


class Throttled(Refused):
    """Too many requests."""


class Unavailable(Refused):
    """The server cannot work right now, for as long as it was worth trying."""


class ServerFault(Refused):
    """The server has broken over it."""


_BY_CODE: dict[str, type[Refused]] = {
    "held": Held, "lock_timeout": Held, "stale_token": StaleToken, "version_conflict": Changed,
}  # fmt: skip
_BY_STATUS: dict[int, type[Refused]] = {
    400: InvalidInput, 401: NotSignedIn, 403: Forbidden, 404: NotFound, 409: Conflict, 412: Changed,
    413: TooLarge, 429: Throttled, 502: Unavailable, 503: Unavailable, 504: Unavailable,
}  # fmt: skip


def refusal_of(status: int, body: Mapping[str, Any], retry_after_s: float | None = None) -> Refused:
    """The error that an answer stands for."""
    facts = dict(body)
    code = str(facts.pop("code", ""))
    reason = str(facts.pop("error", "")) or f"the server answered {status}"
    kind = _BY_CODE.get(code) or _BY_STATUS.get(status)
    kind = kind or (ServerFault if status >= 500 else Refused)
    return kind(status, code, reason, facts, retry_after_s)
