"""Connections to one server, as its address says: over TCP, TLS or a socket, as some user."""

from __future__ import annotations

from typing import Any, Literal

import redis as driver
import redis.asyncio as async_driver
from redis.asyncio.connection import SSLConnection as AsyncSSLConnection
from redis.backoff import NoBackoff
from redis.connection import SSLConnection, UnixDomainSocketConnection
from redis.retry import Retry

from statecore.store.addresses import Address, Node, Tls, Topology

CONNECT_TIMEOUT_S = 2.0

Role = Literal["server", "primary", "sentinel"]
"""What a node is to us: to be taken as it is, to be the primary, or to know who is."""


class NotPrimary(driver.ConnectionError):
    """A server that was the primary, or is to become it, is not."""


class Unconfirmed(driver.ConnectionError):
    """A new connection is needed, and who the primary is was not asked lately."""


class Door:
    """Makes connections to one server; they connect when first used."""

    def __init__(self, address: Address, node: Node, role: Role = "server") -> None:
        self.node = node
        self.must_be_primary = role == "primary"
        self.has_heirs = address.topology is not Topology.STANDALONE
        """Whether another server takes the place of this one when it is gone."""
        is_sentinel = role == "sentinel"
        login = address.sentinel_login if is_sentinel else address.login
        self._kwargs: dict[str, Any] = {
            "protocol": 2,
            "driver_info": None,  # nothing is told that an ACL would have to allow
            "socket_connect_timeout": CONNECT_TIMEOUT_S,
            "retry": Retry(NoBackoff(), 0),
            "db": 0 if is_sentinel else address.database,
            "username": login.user or None,
            "password": login.password or None,
        }
        if node.port:
            self._kwargs |= {"host": node.host, "port": node.port, "socket_keepalive": True}
        else:
            self._kwargs["path"] = node.host
        self._classes: tuple[Any, Any] = _classes(address, node)
        if address.tls and node.port:
            self._kwargs |= _tls_kwargs(address.tls)

    def link(self, timeout_s: float) -> Any:
        """A connection for threads; an answer may take ``timeout_s``."""
        return self._classes[0](**self._kwargs, socket_timeout=timeout_s)

    def async_link(self) -> Any:
        """A connection for an event loop; whoever waits has a time limit of its own."""
        return self._classes[1](**self._kwargs, socket_timeout=None)


def check_role(answer: Any, node: Node) -> None:
    """Refuse a server whose answer to ``ROLE`` is not a primary's.

    Raises:
        NotPrimary: it is a replica, or a sentinel.
    """
    if answer[0] != b"master":
        raise NotPrimary(f"{node} is not the primary")


def _classes(address: Address, node: Node) -> tuple[Any, Any]:
    if not node.port:
        return UnixDomainSocketConnection, async_driver.UnixDomainSocketConnection
    if address.tls:
        return SSLConnection, AsyncSSLConnection
    return driver.Connection, async_driver.Connection


def _tls_kwargs(tls: Tls) -> dict[str, Any]:
    paths = {"ssl_ca_certs": tls.ca, "ssl_certfile": tls.certificate, "ssl_keyfile": tls.key}
    found = {name: str(path) for name, path in paths.items() if path}
    return found | {"ssl_cert_reqs": "required", "ssl_check_hostname": tls.check_hostname}
