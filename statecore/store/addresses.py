"""How an engine is reached, as one immutable description whose secrets are never shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from statecore.store.errors import StoreError


class WrongAddress(StoreError):
    """A setting of how the engine is reached is wrong: names it, and says what is allowed."""


class Topology(StrEnum):
    """How the servers of an engine stand to each other."""

    STANDALONE = "standalone"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


class Durability(StrEnum):
    """When a commit counts: when the server has it, or when one replica has it, too."""

    LOCAL = "local"
    REPLICATED = "replicated"


class Node(NamedTuple):
    """One server by host name or IP address and port; the socket's path and port 0 for a socket."""

    host: str
    port: int

    def __str__(self) -> str:
        if not self.port:
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Login:
    """Who we are to a server; without a password nobody in particular."""

    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Tls:
    """How servers are known over TLS, and how they know us; without a CA the system's count."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    check_hostname: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where an engine is and how it is spoken to; made by ``address_urls.parse_address``."""

    topology: Topology
    nodes: tuple[Node, ...]
    """The server; the sentinels; or some nodes of the cluster, which know the others."""
    database: int = 0
    login: Login = Login()
    master: str = ""
    """What the sentinels call the primary and its replicas."""
    sentinel_login: Login = Login()
    tls: Tls | None = None
    durability: Durability = Durability.LOCAL
    patience_s: float = 5.0
    """How long a request waits for a new primary, in seconds."""
    names: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """Which setting an option came from, to be named when it proves wrong."""

    @property
    def is_socket(self) -> bool:
        """Whether the engine is reached over a socket of this machine."""
        return self.topology is Topology.STANDALONE and not self.nodes[0].port

    def setting_of(self, option: str) -> str:
        """The name of the setting that said this; the URL's when none did."""
        return self.names.get(option) or self.names.get("url", "the engine's URL")

    def __str__(self) -> str:
        kind = "" if self.topology is Topology.STANDALONE else f"{self.topology} "
        master = f", master {self.master}" if self.master else ""
        return f"{kind}{','.join(map(str, self.nodes))}{master}"
