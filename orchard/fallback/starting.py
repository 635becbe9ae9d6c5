"""At start: whether the engine answers, and what is done when it does not."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from orchard.conf import Conf, get_conf
from orchard.conf_engine import engine_address
from orchard.fallback.saving import save
from orchard.ports import kept_back
from orchard.services import EngineAway, engine
from orchard.services.pipeline_process import new_holder, work
from statecore.store import open_store
from statecore.store.base import Store

log = logging.getLogger("orchard")

SAVE_EVERY_S = 5.0


class Standing(NamedTuple):
    """A fallback that this process works in."""

    since: datetime
    reason: str
    folder: Path


_standing: Standing | None = None


def standing() -> Standing | None:
    """The fallback of this process, if it works in one."""
    return _standing


class WebProcess:
    """The time that a web process lives: with the engine, or in a fallback without it."""

    def __init__(self) -> None:
        self._lock: int | None = None
        self._ends = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> WebProcess:
        conf = get_conf()
        self._lock = _join(conf.data_dir)
        if engine_address(conf) is None:  # memory, or an engine of our own
            return self
        try:
            engine.get_engine().read()
        except EngineAway as away:
            if is_allowed(conf, self._lock):
                self._fall_back(str(away))
            else:
                log.warning("the state engine is away, and a fallback is not allowed: %s", away)
        return self

    def __exit__(self, *_: object) -> None:
        global _standing
        self._ends.set()
        for thread in self._threads:
            thread.join()
        if _standing:
            _save(engine.get_engine(), _standing.folder)
            _standing = None
        if self._lock is not None:
            os.close(self._lock)

    def _fall_back(self, reason: str) -> None:
        """Work in memory from now on, stages of the pipeline as well."""
        global _standing
        log.error("[Redis] Connection failed: %s", reason)
        log.warning("[Redis] Fallback to in-memory mode")
        store = open_store("memory://")
        engine.use(store)
        at = datetime.now(UTC)
        _standing = Standing(at, reason, kept_back.folder() / at.strftime("%Y%m%dT%H%M%S"))
        keeper = threading.Thread(target=self._keep, args=(store, _standing.folder), name="keeper")
        pipeline = threading.Thread(
            target=work, args=(self._ends,), kwargs={"holder": new_holder()}, name="pipeline"
        )
        self._threads = [keeper, pipeline]
        for thread in self._threads:
            thread.start()

    def _keep(self, store: Store, folder: Path) -> None:
        while not self._ends.wait(SAVE_EVERY_S):
            _save(store, folder)


def is_allowed(conf: Conf, lock: int | None) -> bool:
    """Whether this process may go on without the engine.

    Unless the settings say so, only the one web process of a machine whose engine is on that
    machine as well may: another one would go its own way, and nobody could tell which is right.
    """
    if conf.fallback != "auto":
        return conf.fallback == "on"
    return lock is not None and _is_on_this_machine(conf)


def _is_on_this_machine(conf: Conf) -> bool:
    address = engine_address(conf)
    if address is None:
        return False
    return address.is_socket or all(_is_loopback(node.host) for node in address.nodes)


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def _join(data_dir: Path) -> int | None:
    """Hold the place of the only web process of a data folder; ``None`` when there is another."""
    file = os.open(data_dir / "web.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return None
    return file


def _save(store: Store, folder: Path) -> None:
    try:
        save(store, folder)
    except OSError:
        log.exception("what the fallback holds could not be saved")
