"""A cluster for tests: primaries with replicas, slots that move."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from redis.crc import REDIS_CLUSTER_HASH_SLOTS

from tests.servers import ServerProcess, command, until


def nothing() -> None:
    """Do nothing."""


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
            node.await_answer_somewhere()
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

    @property
    def primaries(self) -> list[ServerProcess]:
        """The nodes that have slots now."""
        alive = next(node for node in self.nodes if node.process is not None)
        ports = {primary[1] for _, _, primary, *_ in command(alive, "CLUSTER", "SLOTS")}
        return [node for node in self.nodes if node.port in ports]

    def heirs(self, primary: ServerProcess) -> list[ServerProcess]:
        """Who may take the place of a primary."""
        return [node for node in self.nodes if node is not primary and node.follows(primary)]

    def is_whole(self) -> bool:
        """Whether all slots are served, and everybody else follows a primary."""
        primaries = self.primaries
        if any(b"cluster_state:ok" not in command(node, "CLUSTER", "INFO") for node in self.nodes):
            return False
        others = [node for node in self.nodes if node not in primaries]
        return all(any(node.follows(each) for each in primaries) for node in others)

    def move_by_key(
        self, slot: int, target: ServerProcess, then: Callable[[], object] = nothing
    ) -> None:
        """Move a slot as ``redis-cli --cluster reshard`` does it, and do something at each key."""
        source = self.owner(slot)
        command(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", node_id(source))
        command(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", node_id(target))
        while keys := command(source, "CLUSTER", "GETKEYSINSLOT", slot, 1):
            command(source, "MIGRATE", "127.0.0.1", target.port, keys[0], 0, 2000)
            then()
        for node in dict.fromkeys((target, source, *self.primaries)):
            command(node, "CLUSTER", "SETSLOT", slot, "NODE", node_id(target))

    def move_at_once(self, slot: int, target: ServerProcess) -> None:
        """Move a slot as Valkey from 9.0 does it."""
        moved = ("SLOTSRANGE", slot, slot, "NODE", node_id(target))
        command(self.owner(slot), "CLUSTER", "MIGRATESLOTS", *moved)
        until(lambda: self.owner(slot) is target)

    def close(self) -> None:
        """End all."""
        for node in self.nodes:
            node.close()


def node_id(server: ServerProcess) -> str:
    """What a cluster calls one of its nodes."""
    name: bytes = command(server, "CLUSTER", "MYID")
    return name.decode()
