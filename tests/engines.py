"""Engines of several servers for tests: a primary with replicas and sentinels, a cluster."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from orchard.conf_engine import CLUSTER_PARTITIONS
from orchard.placement import LAYOUT
from statecore.store import Store
from statecore.store.partitions import PartitionedStore
from statecore.store.redis import RedisStore
from tests.clusters import ClusterEngine
from tests.servers import ServerProcess, until

MASTER = "orchard"
ON_DISK = ("--appendonly", "yes", "--appendfsync", "always")
"""With less often, what waits for a busy disk may be forgotten with its process."""


class SentinelProcess(ServerProcess):
    """One sentinel, which finds the others by itself."""

    def __init__(self, directory: Path, primary: ServerProcess, quorum: int, *lines: str) -> None:
        super().__init__(directory)
        self._lines = (
            f"port {self.port}", "bind 127.0.0.1", "sentinel resolve-hostnames no",
            f"sentinel monitor {MASTER} 127.0.0.1 {primary.port} {quorum}",
            f"sentinel down-after-milliseconds {MASTER} 400",
            f"sentinel failover-timeout {MASTER} 2000", *lines,
        )  # fmt: skip

    def start(self) -> None:
        """Start it; it keeps what it learns in its configuration file."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if not (self.directory / "sentinel.conf").exists():
            (self.directory / "sentinel.conf").write_text("\n".join(self._lines) + "\n")
        super().start()

    def _arguments(self) -> list[str]:
        return [*self._command, "sentinel.conf", "--sentinel"]


class SentinelEngine:
    """A primary, its replicas, and three sentinels that watch them.

    They keep on the disk what they were told: one that comes back with less, while the
    sentinels are still electing, may be believed again (docs/topologies.md).
    """

    def __init__(self, directory: Path, replicas: int = 1, *options: str) -> None:
        self.servers = [
            ServerProcess(directory / f"server{n}", *options, *ON_DISK) for n in range(replicas + 1)
        ]
        primary = self.servers[0]
        self.sentinels = [SentinelProcess(directory / f"s{n}", primary, 2) for n in range(3)]

    @property
    def url(self) -> str:
        """Its address."""
        nodes = ",".join(f"127.0.0.1:{each.port}" for each in self.sentinels)
        return f"redis+sentinel://{nodes}/{MASTER}"

    def start(self) -> None:
        """Start all, and wait until they know each other."""
        for server in (*self.servers, *self.sentinels):
            server.start()
        for server in self.servers:
            server.await_answer()
        for replica in self.servers[1:]:
            replica.client.replicaof("127.0.0.1", self.servers[0].port)
        for sentinel in self.sentinels:
            sentinel.await_answer()
            # They look for news every ten seconds; we have no time for that.
            sentinel.client.execute_command("SENTINEL", "DEBUG", "INFO-PERIOD", 200,
                                            "PUBLISH-PERIOD", 200, "PING-PERIOD", 100)  # fmt: skip
        until(self._is_ready)

    def _is_ready(self) -> bool:
        for sentinel in self.sentinels:
            state = sentinel.client.sentinel_master(MASTER)
            known = (state["num-slaves"], state["num-other-sentinels"])
            if known != (len(self.servers) - 1, 2) or state["flags"] != "master":
                return False
            replicas = sentinel.client.sentinel_slaves(MASTER)
            if any(each["master-link-status"] != "ok" for each in replicas):
                return False
        # The primary calls a replica online before that has anything.
        return all(each.client.info("replication")["master_link_status"] == "up"
                   for each in self.servers[1:])  # fmt: skip

    def primary(self) -> ServerProcess:
        """The primary, by what most sentinels say."""

        def agreed() -> ServerProcess | None:
            found = [each.client.sentinel_get_master_addr_by_name(MASTER)[1]
                     for each in self.sentinels]  # fmt: skip
            port = max(found, key=found.count)
            server = next(each for each in self.servers if each.port == port)
            return server if server.client.role()[0] == b"master" else None

        found: ServerProcess = until(agreed)
        return found

    def heirs(self, primary: ServerProcess) -> list[ServerProcess]:
        """Who may take the place of the primary."""
        return [server for server in self.servers if server is not primary]

    def is_whole(self) -> bool:
        """Whether everybody follows the primary, and each sentinel knows that it is well."""
        primary = self.primary()
        told = [each.client.sentinel_master(MASTER)["flags"] for each in self.sentinels]
        followed = [each.follows(primary) for each in self.heirs(primary)]
        return all(followed) and set(told) == {"master"}

    def fail_over(self) -> ServerProcess:
        """Have the sentinels put a replica in the primary's place; the new primary.

        On a busy machine they give up half-way and put everything back: they are asked again then.
        """
        old, stop = self.primary(), time.monotonic() + 60.0
        while True:
            with contextlib.suppress(redis.ResponseError):  # one is on its way
                self.sentinels[0].client.sentinel_failover(MASTER)
            with contextlib.suppress(AssertionError):
                return self.await_failover(old, 8.0)
            assert time.monotonic() < stop, "no failover within 60 s"

    def await_failover(self, old: ServerProcess, seconds: float = 60.0) -> ServerProcess:
        """The primary that the sentinels have put in place of another, which knows it if alive."""
        until(lambda: old.process is None or old.client.role()[0] == b"slave", seconds)
        found: ServerProcess = until(lambda: (new := self.primary()) is not old and new, seconds)
        return found

    def close(self) -> None:
        """End all."""
        for server in (*self.sentinels, *self.servers):
            server.close()


@contextlib.contextmanager
def started(engine: Any) -> Iterator[Any]:
    """An engine, from its start to its end."""
    try:
        engine.start()
        yield engine
    finally:
        engine.close()


@pytest.fixture(scope="session")
def sentinel_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelEngine]:
    """A primary, a replica and three sentinels, for tests that leave them as they are."""
    with started(SentinelEngine(tmp_path_factory.mktemp("sentinel"))) as engine:
        yield engine


@pytest.fixture(scope="session")
def cluster_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterEngine]:
    """A cluster of three primaries and their replicas, for tests that leave them as they are."""
    with started(ClusterEngine(tmp_path_factory.mktemp("cluster"))) as engine:
        yield engine


@pytest.fixture
def cluster_store(cluster_engine: ClusterEngine) -> Iterator[Store]:
    """An empty cluster, whose sixteen partitions are on three machines."""
    for node in cluster_engine.first:
        node.client.flushall()
    store = PartitionedStore(RedisStore(cluster_engine.url), CLUSTER_PARTITIONS, LAYOUT)
    yield store
    store.close()


@pytest.fixture
def own_sentinel_engine(tmp_path: Path) -> Iterator[SentinelEngine]:
    """A primary, a replica and three sentinels of the test's own, to be killed and paused."""
    with started(SentinelEngine(tmp_path)) as engine:
        yield engine


@pytest.fixture
def own_cluster_engine(tmp_path: Path) -> Iterator[ClusterEngine]:
    """A cluster of the test's own, whose slots may move and whose nodes may be killed."""
    with started(ClusterEngine(tmp_path)) as engine:
        yield engine
