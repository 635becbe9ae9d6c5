"""Exit codes: what a shell script can tell apart."""

from __future__ import annotations

import httpx

from orchard_client import errors

DONE, FAULT, USAGE = 0, 1, 2

CODES: tuple[tuple[int, str, tuple[type[Exception], ...]], ...] = (
    (3, "there is no such thing", (errors.NotFound,)),
    (4, "a job ended without a transcript", (errors.JobNotCompleted,)),
    (
        5, "somebody else holds it, or has changed it",
        (errors.Conflict, errors.Changed, errors.LeaseLost),
    ),
    (6, "the token is missing, wrong, or may not do this", (errors.NotSignedIn, errors.Forbidden)),
    (
        7, "the server cannot be reached, or cannot work",
        (errors.Unreachable, errors.Unavailable, errors.Throttled),
    ),
    (8, "what was waited for has not happened in time", (errors.WaitedTooLong,)),
    (2, "the command or the settings make no sense", (errors.ConfigurationError,)),
    (1, "anything else", (errors.OrchardError, httpx.HTTPError, OSError)),
)  # fmt: skip
"""In order: the first that fits."""


def code_of(fault: Exception) -> int:
    """The exit code that a fault stands for."""
    return next((code for code, _, kinds in CODES if isinstance(fault, kinds)), FAULT)
