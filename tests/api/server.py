"""A real web process on a real engine, for what only those can show."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import httpx

ROOT = Path(__file__).parents[2]
PREPARE = """
import django; django.setup()
from orchard.conf import get_conf
from orchard.first_start import prepare
prepare(get_conf().data_dir)
"""


class Server:
    """``manage.py serve`` in a data directory of its own."""

    def __init__(self, data: Path, store: str, **options: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        own = {"ORCHARD_DATA": str(data), "ORCHARD_STORE": store, "PORT": str(self.port)}
        own |= {"DJANGO_SETTINGS_MODULE": "orchard.settings"}
        self.env = os.environ | own | options
        self.data = data

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        subprocess.run([sys.executable, "-c", PREPARE], cwd=ROOT, env=self.env, check=True)
        command = [sys.executable, "manage.py", "serve"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.env)
        stop = time.monotonic() + 30
        while not self._answers():
            assert self.process.poll() is None
            assert time.monotonic() < stop
            time.sleep(0.05)
        token = (self.data / "token").read_text().strip()
        self.headers = {"Authorization": f"Bearer {token}"}
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", headers=self.headers, timeout=30
        )

    def stop(self) -> None:
        self.client.close()
        self.process.terminate()
        self.process.wait(20)

    def connect(self) -> socket.socket:
        """A bare connection, for requests that no client would send."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/healthz").status_code == 200
        except httpx.HTTPError:
            return False
