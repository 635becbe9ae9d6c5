"""The state engine and the limits of this process, as the site (or a script) has set them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from statecore.repository import Limits
from statecore.store.base import Store
from statecore.store.errors import StoreFull as EngineFull
from statecore.store.errors import StoreUnavailable as EngineAway
from statecore.store.errors import TooManyConflicts as EngineBusy
from statecore.store.steps import Steps

__all__ = ["EngineAway", "EngineBusy", "EngineFull", "arun", "configure", "get_engine",
           "get_limits", "run"]  # fmt: skip

T = TypeVar("T")


class _NotConfigured(RuntimeError):
    """No state engine was named: call statecore.services.engine.configure first."""


def _nothing() -> Store:
    raise _NotConfigured(_NotConfigured.__doc__)


_open: Callable[[], Store] = _nothing
_limits: Callable[[], Limits] = Limits


def configure(open_store: Callable[[], Store], limits: Callable[[], Limits] = Limits) -> None:
    """Say where the engine comes from, and the limits; both are asked whenever they are needed."""
    global _open, _limits
    _open, _limits = open_store, limits


def get_engine() -> Store:
    """The state engine of this process."""
    return _open()


def get_limits() -> Limits:
    """How long things are held and kept, and how large they may be."""
    return _limits()


def run(steps: Steps[T]) -> T:
    """Drive a service to its result.

    Raises:
        EngineAway: the state engine cannot be reached.
        StateError: the service refused.
    """
    return get_engine().run(steps)


async def arun(steps: Steps[T]) -> T:
    """Drive a service to its result without blocking the event loop; raises as :func:`run`."""
    return await get_engine().arun(steps)
