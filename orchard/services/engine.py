"""The one connection of this process to the state engine."""

from __future__ import annotations

import threading
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

from orchard.conf import get_conf
from orchard.conf_engine import engine_address
from statecore.store import open_store
from statecore.store.base import Store
from statecore.store.errors import EngineRefuses
from statecore.store.errors import StoreFull as EngineFull
from statecore.store.errors import StoreUnavailable as EngineAway
from statecore.store.errors import TooManyConflicts as EngineBusy
from statecore.store.steps import Steps

__all__ = ["EngineAway", "EngineBusy", "EngineFull", "arun", "get_engine", "run", "use"]

T = TypeVar("T")

_lock = threading.Lock()
_engine: Store | None = None


def get_engine() -> Store:
    """The state engine of the settings, opened at first use.

    Raises:
        ImproperlyConfigured: the engine is there, and a setting of how it is reached is wrong.
        EngineAway: an engine of our own does not start.
    """
    global _engine
    with _lock:
        if _engine is None:
            conf = get_conf()
            _engine = _checked(open_store(engine_address(conf) or conf.store, conf.data_dir))
        return _engine


def _checked(store: Store) -> Store:
    try:
        store.check()
    except EngineRefuses as refusal:
        store.close()
        raise ImproperlyConfigured(str(refusal)) from None
    except EngineAway:
        pass  # it is told to whoever asks it something; it may come
    return store


def use(store: Store | None) -> Store | None:
    """Put another store in place (tests, commands); returns the one that was there."""
    global _engine
    with _lock:
        before, _engine = _engine, store
        return before


def run(steps: Steps[T]) -> T:
    """Drive a service to its result.

    Raises:
        EngineAway: the state engine cannot be reached.
        OrchardError: the service refused.
    """
    return get_engine().run(steps)


async def arun(steps: Steps[T]) -> T:
    """Drive a service to its result without blocking the event loop; raises as :func:`run`."""
    return await get_engine().arun(steps)
