"""The processes of a peer: all of them end with the block they belong to, whatever happens."""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from orchard.processes import Child, stop_all

STOP_S = 15.0
_MARK = "ORCHARD_BENCH_PEER"


class PeerFault(Exception):
    """A peer could not be installed or did not do its work; the others go on."""


class Family:
    """Processes that are started for one peer, and those that they start themselves.

    Workers fork, and some leave their process group; so each carries a mark in its
    environment, by which those that remain are found and killed in the end.
    """

    def __init__(self, logs: Path, env: Mapping[str, str] | None = None) -> None:
        self._mark = secrets.token_hex(8)
        self._logs = logs
        self._env = {**(env or {}), _MARK: self._mark}
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.stop()

    def run(self, command: Sequence[str], within_s: float) -> None:
        """Run a command to its end.

        Raises:
            PeerFault: it cannot be run, failed, or took longer than ``within_s`` seconds.
        """
        try:
            subprocess.run(
                command, env=os.environ | self._env, timeout=within_s, check=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, errors="replace", start_new_session=True,
            )  # fmt: skip
        except subprocess.CalledProcessError as fault:
            raise PeerFault(_reason(fault.stdout) or f"status {fault.returncode}") from None
        except subprocess.TimeoutExpired:
            raise PeerFault(f"{Path(command[0]).name} took longer than {within_s:g} s") from None
        except OSError as fault:
            raise PeerFault(f"{command[0]}: {fault.strerror}") from None

    def start(self, command: Sequence[str]) -> Child:
        """Start a process that runs until it is told to stop; what it says goes to a log."""
        child = Child("worker", command, self._logs, self._env)
        self._children.append(child)
        try:
            child.start()
        except OSError as fault:
            raise PeerFault(f"{command[0]}: {fault.strerror}") from None
        return child

    def last_words(self) -> str:
        """The last line that a started process has written."""
        log = self._logs / "worker.log"
        return _last_line(log.read_text(errors="replace")) if log.exists() else ""

    def stop(self) -> None:
        """Ask all to stop; kill those that have not after some seconds, and all offspring."""
        stop_all(self._children, STOP_S, threading.Event())
        for pid in self._left():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _left(self) -> Iterator[int]:
        """Processes that carry our mark."""
        mark = f"{_MARK}={self._mark}".encode()
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has ended meanwhile, or is somebody else's
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    yield int(process.name)


def _reason(said: str) -> str:
    """The first line that tells of an error, as pip and npm write it; otherwise the last line."""
    errors = (line for line in said.splitlines() if re.match(r"(npm )?error\b", line, re.I))
    return _last_line(next(errors, said))


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""
