"""The settings of how the state engine is reached, and its address from them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured

from orchard.conf_values import setting
from statecore.store.address_urls import FORMS, MOST_PATIENCE_S, parse_address
from statecore.store.addresses import Address, Topology, WrongAddress

if TYPE_CHECKING:
    from orchard.conf import Conf

CLUSTER_PARTITIONS = 16
"""Enough for a dozen machines; each count asks every partition."""

OPTIONS = {
    "store_username": "username",
    "store_password": "password",
    "store_password_file": "password_file",
    "store_ca": "ssl_ca_certs",
    "store_certificate": "ssl_certfile",
    "store_key": "ssl_keyfile",
    "store_check_hostname": "ssl_check_hostname",
    "sentinel_username": "sentinel_username",
    "sentinel_password": "sentinel_password",
    "sentinel_password_file": "sentinel_password_file",
    "durability": "durability",
    "failover_wait_s": "patience",
}
"""By setting, the option of the engine's URL that says the same."""


@dataclass(frozen=True, kw_only=True)
class EngineConf:
    """How the engine is reached, beside its URL."""

    store_username: str = setting(
        "", "ORCHARD_STORE_USERNAME", "User (ACL) at the state engine; empty: the URL's."
    )
    store_password: str = setting(
        "", "ORCHARD_STORE_PASSWORD", "Password at the state engine; empty: the URL's.", secret=True
    )
    store_password_file: str = setting(
        "", "ORCHARD_STORE_PASSWORD_FILE", "File that holds that password, in one line."
    )
    store_ca: str = setting(
        "", "ORCHARD_STORE_CA",
        "File of the certificates that vouch for the engine's (TLS); empty: the system's.",
    )  # fmt: skip
    store_certificate: str = setting(
        "", "ORCHARD_STORE_CERTIFICATE", "Our own certificate for the engine (TLS), a file in PEM."
    )
    store_key: str = setting("", "ORCHARD_STORE_KEY", "The key of our own certificate, a file.")
    store_check_hostname: bool = setting(
        True, "ORCHARD_STORE_CHECK_HOSTNAME",
        "The engine's certificate must name the host that the URL names (TLS).",
    )  # fmt: skip
    sentinel_username: str = setting("", "ORCHARD_SENTINEL_USERNAME", "User at the sentinels.")
    sentinel_password: str = setting(
        "", "ORCHARD_SENTINEL_PASSWORD", "Password at the sentinels.", secret=True
    )
    sentinel_password_file: str = setting(
        "", "ORCHARD_SENTINEL_PASSWORD_FILE", "File that holds that password, in one line."
    )
    durability: str = setting(
        "local", "ORCHARD_DURABILITY",
        "A change counts when the engine has it, or when every replica that may take its place"
        " has it, too.",
        choices=("local", "replicated"),
    )  # fmt: skip
    partitions: int = setting(
        0, "ORCHARD_PARTITIONS",
        "Into how many partitions jobs and workers are divided; 0: 16 in a cluster, else one"
        " without a tag. It must not change while the engine holds state.",
        low=0, high=1024,
    )  # fmt: skip
    failover_wait_s: float = setting(
        5.0, "ORCHARD_FAILOVER_WAIT_S",
        "How long a request waits for a new primary (Sentinel, Cluster), in seconds.",
        low=0, high=MOST_PATIENCE_S,
    )  # fmt: skip
    engine_wait_s: float = setting(
        60.0, "ORCHARD_ENGINE_WAIT_S",
        "How long a process that starts waits for an embedded engine that stands still, in"
        " seconds; it ends then.",
        low=0, high=86_400,
    )  # fmt: skip


def engine_address(
    conf: Conf, named: Mapping[str, tuple[str, Any]] | None = None
) -> Address | None:
    """Where the state engine is; ``None`` for one that we start ourselves, or that is memory.

    Raises:
        ImproperlyConfigured: the settings contradict each other, or a file cannot be read.
    """
    if conf.store.partition("://")[0].lower() not in FORMS:
        return None
    called = {one.name: one.metadata["env"] for one in fields(conf)}
    called |= {name: where for name, (where, _) in (named or {}).items()}
    defaults = {one.name: one.default for one in fields(conf)}
    given = {
        option: (called[name], _written(getattr(conf, name)))
        for name, option in OPTIONS.items()
        if getattr(conf, name) != defaults[name]
    }
    try:
        return parse_address(conf.store, called["store"], given)
    except WrongAddress as fault:
        raise ImproperlyConfigured(str(fault)) from None


def count_partitions(conf: Conf) -> int:
    """Into how many partitions the engine is divided; 0 for one whose keys have no tag."""
    address = engine_address(conf)
    is_cluster = address is not None and address.topology is Topology.CLUSTER
    if is_cluster:
        return conf.partitions or CLUSTER_PARTITIONS
    return conf.partitions if conf.partitions > 1 else 0


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
