"""Django's cache, kept beside the state: in the engine's second database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orchard.conf import Conf
from orchard.conf_engine import engine_address
from orchard.spared import spared
from statecore.store.addresses import Address, Tls, Topology

with spared("opentelemetry"):  # the engine's driver would load it for figures nobody asked for
    from statecore.store.embedded import engine_url

DATABASE = 1
_MEMORY = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}


def cache_settings(conf: Conf, data_dir: Path) -> dict[str, Any]:
    """The default cache; each process has its own beside memory or a cluster, of one database."""
    address = engine_address(conf)
    if conf.store.startswith("memory") or (address and address.topology is Topology.CLUSTER):
        return _MEMORY
    # Pages are still served, and sessions still known, while the engine is away.
    options: dict[str, Any] = {
        "IGNORE_EXCEPTIONS": True, "SOCKET_CONNECT_TIMEOUT": 1, "SOCKET_TIMEOUT": 1,
    }  # fmt: skip
    url = engine_url(data_dir, DATABASE)
    if address:
        url, more = _reached(address)
        options |= more
    return {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": url,
        "KEY_PREFIX": "cache",
        "OPTIONS": options,
    }


def _reached(address: Address) -> tuple[str, dict[str, Any]]:
    """The cache's URL and options for an engine elsewhere."""
    options: dict[str, Any] = {}
    if address.login.password:
        options = {"USERNAME": address.login.user, "PASSWORD": address.login.password}
    if address.is_socket:
        return f"unix://{address.nodes[0]}?db={DATABASE}", options
    keywords = _tls(address.tls) if address.tls else {}
    if address.topology is Topology.SENTINEL:
        login = address.sentinel_login
        sentinels = {"username": login.user or None, "password": login.password or None}
        options |= {
            "CLIENT_CLASS": "django_redis.client.SentinelClient",
            "CONNECTION_FACTORY": "django_redis.pool.SentinelConnectionFactory",
            "SENTINELS": [tuple(node) for node in address.nodes],
            "SENTINEL_KWARGS": {
                "socket_timeout": 1, **sentinels, **({"ssl": True} | keywords if keywords else {}),
            },
            "CONNECTION_POOL_KWARGS": {"ssl": True} | keywords if keywords else {},
        }  # fmt: skip
        return f"redis://{address.master}/{DATABASE}", options
    options["CONNECTION_POOL_KWARGS"] = keywords
    scheme = "rediss" if address.tls else "redis"
    return f"{scheme}://{address.nodes[0]}/{DATABASE}", options


def _tls(tls: Tls) -> dict[str, Any]:
    paths = {"ssl_ca_certs": tls.ca, "ssl_certfile": tls.certificate, "ssl_keyfile": tls.key}
    found: dict[str, Any] = {name: str(path) for name, path in paths.items() if path}
    return found | {"ssl_cert_reqs": "required", "ssl_check_hostname": tls.check_hostname}
