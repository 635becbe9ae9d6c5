"""Guarding: whatever a plug-in raises becomes one error that names its type and the step."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger("orchard.jobtypes")


class JobTypeFailed(Exception):
    """A type of jobs raised in one of its steps."""


@contextmanager
def guarded(job_type: str, step: str, *allowed: type[BaseException]) -> Iterator[None]:
    """Run a step of a type's own code; what is ``allowed`` goes through.

    Raises:
        JobTypeFailed: the code raised anything else, be it an order to exit.
    """
    try:
        yield
    except allowed:
        raise
    except (Exception, SystemExit) as fault:
        log.exception("the job type %s raised in %s", job_type, step)
        reason = f"the job type {job_type!r} raised in {step}: {_shown(fault)}"
        raise JobTypeFailed(reason) from fault


def _shown(fault: BaseException) -> str:
    try:
        return f"{type(fault).__name__}: {fault}"[:400]
    except Exception:  # even its message may be broken
        return type(fault).__name__
