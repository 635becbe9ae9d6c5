"""``manage.py up`` as a process, the way ``make run`` starts it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(is_so: Callable[[], Any], within_s: float = 60) -> Any:
    """What a condition says as soon as it says something."""
    stop = time.monotonic() + within_s
    while not (answer := is_so()):
        assert time.monotonic() < stop, "it took too long"
        time.sleep(0.05)
    return answer


class Launched:
    """A running installation with data of its own."""

    def __init__(self, data: Path, port: int, *options: str, **environ: str) -> None:
        self.data, self.port = data, port
        self.url = f"http://127.0.0.1:{port}"
        own = {"ORCHARD_DATA": str(data), "PORT": str(port), "ORCHARD_STORE": "embedded://"}
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up", *options], cwd=ROOT,
            env=os.environ | own | environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, start_new_session=True,
        )  # fmt: skip
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=pair, daemon=True)
            for pair in ((self.process.stdout, self.lines), (self.process.stderr, self.errors))
        ]
        for reader in self._readers:
            reader.start()

    def await_ready(self) -> None:
        """Wait for the two lines."""
        wait_until(lambda: len(self.lines) >= 2 or self.process.poll() is not None, 120)
        assert self.process.poll() is None, self.errors

    @property
    def headers(self) -> dict[str, str]:
        """Those of a script with the token file."""
        return {"Authorization": f"Bearer {(self.data / 'token').read_text().strip()}"}

    def get(self, path: str) -> httpx.Response:
        """An answer of the site."""
        return httpx.get(self.url + path, headers=self.headers, timeout=10)

    def stop(self, signum: int = signal.SIGTERM) -> int:
        """Stop it with a signal; its exit code."""
        self.process.send_signal(signum)
        return self.wait()

    def wait(self, within_s: float = 40) -> int:
        """Its exit code, when all it said was read."""
        code = self.process.wait(within_s)
        for reader in self._readers:
            reader.join(10)
        return code

    def end(self) -> None:
        """Leave nothing behind, however the test went."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pid in processes_of(self.data):
            os.kill(pid, signal.SIGKILL)
        for reader in self._readers:
            reader.join(10)
        for pipe in (self.process.stdout, self.process.stderr):
            pipe.close()

    def pid_of(self, words: str) -> int:
        """The process whose command line holds these words; 0 when there is none."""
        for pid in processes_of(self.data):
            if words in _read(pid, "cmdline").replace("\0", " "):
                return pid
        return 0

    @staticmethod
    def _read(pipe: Any, lines: list[str]) -> None:
        for line in pipe:
            lines.append(line.rstrip("\n"))


def processes_of(data: Path) -> list[int]:
    """All living processes that work on this data folder, the engine too."""
    mine = os.getpid()
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [pid for pid in pids if pid != mine and _works_on(pid, data)]


def _works_on(pid: int, data: Path) -> bool:
    try:
        folder = os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return False
    return folder.startswith(str(data)) or f"ORCHARD_DATA={data}\0" in _read(pid, "environ")


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:
        return ""
