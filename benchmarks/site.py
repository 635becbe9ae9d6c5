"""A web process of our own, on an engine that is measured: started, asked, and stopped."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.scratch import free_port
from orchard.processes import Child, stop_all

ROOT = Path(__file__).parents[1]
READY_S, STOP_S = 60.0, 10.0
_PREPARE = """
import django; django.setup()
from orchard.conf import get_conf
from orchard.first_start import prepare
prepare(get_conf().data_dir)
"""


class Site:
    """A web process that answers; its tokens, its log and its process."""

    def __init__(self, port: int, data: Path, child: Child) -> None:
        self.port = port
        self._data = data
        self._child = child

    def token(self, name: str = "token") -> str:
        """The administrator's token, or that of the ``worker_token`` file."""
        return (self._data / name).read_text().strip()

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._child.pid

    def peak_mb(self) -> float:
        """The most memory that the process has had (resident, in MB)."""
        return memory_mb(self.pid, "VmHWM")

    def processor_s(self) -> float:
        """The processor time that the process has had, in seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Connection:
    """One connection to a site that is kept open, as bare as can be: the client costs little."""

    def __init__(self, site: Site) -> None:
        self._socket = socket.create_connection(("127.0.0.1", site.port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._token = site.token("worker_token")

    def post(self, path: str, body: bytes) -> bytes:
        """The body of the answer.

        Raises:
            RuntimeError: the answer is not 200.
        """
        head = (
            f"POST /{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self._token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._socket.sendall(head.encode() + body)
        return self._answer()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _answer(self) -> bytes:
        raw = b""
        while b"\r\n\r\n" not in raw:
            raw += self._more()
        head, _, body = raw.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        while len(body) < length:
            body += self._more()
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(f"the site answered {head[:40]!r}: {body[:300]!r}")
        return body

    def _more(self) -> bytes:
        block = self._socket.recv(262_144)
        if not block:
            raise RuntimeError("the site has hung up")
        return block


@contextmanager
def running_site(engine: str) -> Iterator[Site]:
    """A web process with everything on, in a folder of its own that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="orchard-bench-") as folder:
        data, port = Path(folder) / "data", free_port()
        env = own_settings(data, port) | {
            "ORCHARD_STORE": engine, "ORCHARD_THROTTLE_HOT": str(10**9),
            "DJANGO_SETTINGS_MODULE": "benchmarks.site_settings",
        }  # fmt: skip
        subprocess.run([sys.executable, "-c", _PREPARE], cwd=ROOT, env=os.environ | env, check=True)
        serve = [sys.executable, str(ROOT / "manage.py"), "serve"]
        child = Child("web", serve, Path(folder), env | {"PYTHONPATH": str(ROOT)})
        child.start()
        try:
            _await_answer(port, child, Path(folder) / "web.log")
            yield Site(port, data, child)
        finally:
            stop_all([child], STOP_S, threading.Event())


def own_settings(data: Path, port: int) -> dict[str, str]:
    """Settings of an installation that has nothing to do with the one of whoever measures."""
    others = {name: "" for name in os.environ if name.startswith("ORCHARD_")}
    return others | {"ORCHARD_DATA": str(data), "PORT": str(port), "PYTHONUNBUFFERED": "1"}


def memory_mb(pid: int, field: str) -> float:
    """What ``/proc/<pid>/status`` says of a process's memory, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _await_answer(port: int, child: Child, log: Path) -> None:
    deadline = time.monotonic() + READY_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if not child.is_running or time.monotonic() > deadline:
                raise RuntimeError(f"the site does not start: {log.read_text()[-500:]}") from None
            time.sleep(0.05)
