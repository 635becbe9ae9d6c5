"""The one connection of this process to the state engine."""

from __future__ import annotations

import threading
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

from orchard import keys
from orchard.conf import Conf, get_conf
from orchard.conf_engine import count_partitions, engine_address
from orchard.placement import LAYOUT
from orchard.upgrades import RELEASE
from statecore import keys as state_keys
from statecore.sealing.site import sealing_of_site
from statecore.store import open_store, ops
from statecore.store.base import Store
from statecore.store.errors import EngineRefuses
from statecore.store.errors import StoreFull as EngineFull
from statecore.store.errors import StoreUnavailable as EngineAway
from statecore.store.errors import TooManyConflicts as EngineBusy
from statecore.store.known_keys import WrongKey, check_keys
from statecore.store.partition_count import WrongPartitions, confirm_partitions
from statecore.store.partitions import PartitionedStore
from statecore.store.permissions import acl_rules as least_rights
from statecore.store.schema import Gate, WrongSchema, refusal
from statecore.store.sealing import sealed_store
from statecore.store.steps import Steps

__all__ = ["EngineAway", "EngineBusy", "EngineFull", "arun", "get_engine",
           "least_rights", "run", "use"]  # fmt: skip

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
            _engine = _opened(conf)
        return _engine


def _opened(conf: Conf) -> Store:
    store = _checked(
        open_store(engine_address(conf) or conf.store, conf.data_dir, conf.engine_wait_s)
    )
    count = count_partitions(conf)
    if not conf.store.startswith("memory"):
        _confirm(store, count or 1)
    _confirm_keys(store)
    engine, store = store, sealed_store(store, sealing_of_site())
    store = PartitionedStore(store, count, LAYOUT) if count else store
    if not conf.store.startswith("memory"):
        _set_gate(store, engine)
    return store


def _set_gate(store: Store, engine: Store) -> None:
    """Let services work with the engine as long as its state is of a version that we know."""
    gate = Gate(engine, keys.SCHEMA, RELEASE, lambda: _is_used(store))
    try:
        found = gate.settle()
        wrong = refusal(found, RELEASE) if found.needed > RELEASE.version else ""
    except WrongSchema as damaged:
        wrong = str(damaged)
    except EngineAway:
        wrong = ""  # the gate looks when it is there
    if wrong:
        store.close()
        raise ImproperlyConfigured(wrong)
    store.gate = gate


def _is_used(store: Store) -> bool:
    """Whether the engine holds anything that a release has written."""
    used = map(ops.Count, (keys.JOBS, keys.WORKERS, state_keys.PROCESSES, state_keys.LOCKS))
    return any(store.read(ops.Members(state_keys.NAMESPACES), *used))


def _confirm(store: Store, count: int) -> None:
    try:
        confirm_partitions(store, count, keys.PARTITIONS, keys.EVENTS)
    except WrongPartitions as wrong:
        store.close()
        raise ImproperlyConfigured(f"ORCHARD_PARTITIONS: {wrong}") from None
    except EngineAway:
        pass  # asked again by the next process that finds it


def _confirm_keys(store: Store) -> None:
    try:
        check_keys(store, sealing_of_site().ring)
    except WrongKey as wrong:
        store.close()
        raise ImproperlyConfigured(f"ORCHARD_KEY_RING: {wrong}") from None
    except EngineAway:
        pass  # whoever reads something sealed is told then


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
