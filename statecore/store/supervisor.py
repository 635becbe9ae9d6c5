"""Who looks after the embedded engine: one of the processes that use it, the last one stops it."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from pathlib import Path

from statecore.store.engine import LOADING, Engine, try_lock
from statecore.store.errors import StoreUnavailable
from statecore.store.patience import LEAST_PATIENCE_S, Patience

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
FIRST_BACK_OFF_S, LONGEST_BACK_OFF_S = 0.05, 5.0
DEAF_S = 5.0
"""An engine that nobody can connect to for so long, though alive, is started anew."""


class Supervisor:
    """Keeps the engine of a directory running as long as some process uses it.

    Each process that uses the engine holds a shared lock on ``users.lock``.
    The first one also gets ``supervisor.lock``, starts the engine and watches
    it in a thread; when it goes, or is killed, another one takes over. The last
    process to leave stops the engine. Locks of a killed process are gone with
    it, and an engine that was left running is adopted.
    """

    def __init__(self, directory: Path, patience_s: float = LEAST_PATIENCE_S) -> None:
        self.engine = Engine(directory)
        self._patience_s = patience_s
        self._users: int | None = None
        self._role: int | None = None
        self._leaving = False
        self._look = threading.Event()
        self.engine.on_end = self._look.set
        self._thread = threading.Thread(target=self._watch, name="engine-supervisor", daemon=True)

    @property
    def is_in_charge(self) -> bool:
        """Whether this process is the one that looks after the engine."""
        return self._role is not None

    def open(self) -> None:
        """Join the users of the engine, and return when it answers.

        Raises:
            StoreUnavailable: the engine does not start, or does not answer for too long.
        """
        self.engine.directory.mkdir(parents=True, exist_ok=True)
        path = self.engine.directory / "users.lock"
        self._users = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # waits while the last user before us is stopping the engine
        fcntl.flock(self._users, fcntl.LOCK_SH)
        try:
            self._take_charge()
            self._start_or_join()
        except BaseException:
            self.close()
            raise
        self._thread.start()

    def close(self) -> None:
        """Leave; the last one stops the engine. Closing twice is harmless."""
        self._leaving = True
        self._look.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._users is None:
            return
        if _is_last(self._users):
            # Who is in charge now is on its way out: it has given up its share of users.lock.
            self._take_charge(wait=True)
            self.engine.stop()
        for lock in (self._users, self._role):
            if lock is not None:
                os.close(lock)
        self._users = self._role = None

    def _take_charge(self, wait: bool = False) -> None:
        if self._role is None:
            self._role = try_lock(self.engine.directory / "supervisor.lock", wait=wait)

    def _start_or_join(self) -> None:
        """Start the engine when that is our task; else wait for whoever has it."""
        patience = Patience(self._patience_s)
        while self.is_in_charge or (answer := self.engine.answer()) != "+PONG":
            if self.is_in_charge:
                self.engine.start(patience)
                return
            if not answer.startswith(LOADING):
                patience.check()
            time.sleep(0.01)
            self._take_charge()
        patience.end()

    # -- the thread ------------------------------------------------------------

    def _watch(self) -> None:
        back_off = FIRST_BACK_OFF_S
        last_answer = time.monotonic()
        while not self._rest(LOOK_EVERY_S):
            self._take_charge()
            if not self.is_in_charge or self.engine.answer():
                last_answer, back_off = time.monotonic(), FIRST_BACK_OFF_S
                continue
            if self.engine.is_alive():
                if time.monotonic() - last_answer < DEAF_S or self.engine.accepts():
                    continue
                logger.warning("The embedded engine lives but takes no connections; stopping it")
                self.engine.stop()
            if not self._restart():
                self._rest(back_off)
                back_off = min(back_off * 2, LONGEST_BACK_OFF_S)

    def _rest(self, seconds: float) -> bool:
        """Wait, until the end of our own engine at most; true when we leave."""
        self._look.wait(seconds)
        if not self._leaving:
            self._look.clear()
        return self._leaving

    def _restart(self) -> bool:
        logger.warning("The embedded engine has died; starting it again")
        try:
            self.engine.start()
        except (StoreUnavailable, OSError) as error:
            logger.error("%s", error)
            return False
        return True


def _is_last(users: int) -> bool:
    """Whether nobody else uses the engine; who comes now waits until we have left."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
