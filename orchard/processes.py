"""Child processes that are kept running: started, restarted when they die, stopped with us.

Honcho ends everything when one process ends, and circus brings a message
broker with it; a board with 2 GB wants neither.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

LOG_MAX_BYTES = 10_000_000
"""A log that is longer when its process starts is set aside, as ``*.1``."""

_PR_SET_PDEATHSIG = 1
# Loaded here: between fork and exec a child must not take locks.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class Child:
    """One process that should be running."""

    def __init__(
        self, name: str, command: Sequence[str], log_dir: Path, env: Mapping[str, str]
    ) -> None:
        self.name = name
        self._command = list(command)
        self._env = {**os.environ, **env}
        self._log = log_dir / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._deaths = 0

    def start(self) -> None:
        """Start it; its output goes to its log."""
        if self._log.exists() and self._log.stat().st_size > LOG_MAX_BYTES:
            self._log.replace(self._log.with_suffix(".log.1"))
        parent = os.getpid()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._env,
                # A Ctrl-C on the terminal reaches us alone; we stop the children in order.
                start_new_session=True, preexec_fn=lambda: _die_with_parent(parent),
            )  # fmt: skip
        self._started = time.monotonic()

    def keep_running(self) -> str | None:
        """Start it again if it died and has rested; a sentence for the console when it died."""
        if self._process is None:
            if time.monotonic() >= self._started:
                self.start()
            return None
        code = self._process.poll()
        if code is None:
            return None
        lived_s = time.monotonic() - self._started
        self._deaths = self._deaths + 1 if lived_s < 60 else 1
        rest_s = min(0.5 * 2 ** (self._deaths - 1), 30.0)
        self._process, self._started = None, time.monotonic() + rest_s
        return (
            f"{self.name} ended with code {code}; starting it again in {rest_s:g} s ({self._log})"
        )

    def ask_to_stop(self) -> None:
        """Send it SIGTERM."""
        if self._process is not None:
            self._process.terminate()

    @property
    def pid(self) -> int:
        """The id of its process; 0 while there is none."""
        return self._process.pid if self._process is not None else 0

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End what is left of it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def stop_all(children: Sequence[Child], within_s: float, at_once: threading.Event) -> None:
    """Stop all these processes at the same time; kill them when ``at_once`` is set meanwhile."""
    deadline = time.monotonic() + within_s
    for child in children:
        child.ask_to_stop()
    while any(child.is_running for child in children) and time.monotonic() < deadline:
        if at_once.wait(0.05):
            break
    for child in children:
        child.kill()


def _die_with_parent(parent: int) -> None:
    """Let the kernel end this child when the launcher is killed, so that none is left behind."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it was killed before we could ask
            os._exit(1)
