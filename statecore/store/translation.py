"""The driver's errors, as errors of the store: nothing of the driver leaves it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis as driver

from statecore.store.errors import StoreError, StoreFull, StoreUnavailable, WrongType

_AWAY = (
    driver.ReadOnlyError,
    driver.exceptions.ClusterDownError,
    driver.exceptions.MasterDownError,
    driver.exceptions.TryAgainError,
)
_AWAY_CODES = ("MISCONF", "BUSY", "NOREPLICAS")
"""Answers of an engine that will take commands again, without a class in the driver."""


@contextmanager
def driver_errors() -> Iterator[None]:
    """Raise the driver's errors as errors of the store."""
    try:
        yield
    except (driver.RedisError, OSError) as error:
        raise translated(error) from error


def translated(error: Exception) -> StoreError:
    """The error of the store that a driver's error stands for."""
    text = str(error) or type(error).__name__
    if isinstance(error, driver.OutOfMemoryError) or "OOM command not allowed" in text:
        return StoreFull()
    if isinstance(error, driver.ConnectionError | driver.TimeoutError | OSError):
        return StoreUnavailable(f"The state engine cannot be reached: {text}")
    if isinstance(error, _AWAY) or text.startswith(_AWAY_CODES):
        return StoreUnavailable(f"The state engine takes no commands: {text}")
    return WrongType(text) if "WRONGTYPE" in text else StoreError(text)
