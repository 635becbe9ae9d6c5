"""The settings of push nodes: where they may be, and how patient one is with them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from orchard.conf_values import setting

PRIVATE = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7"
"""Networks that are nobody's but one's own (RFC 1918, RFC 4193)."""


def is_network_list(value: str) -> str:
    """Check networks with commas between."""
    try:
        for name in filter(None, value.split(",")):
            ipaddress.ip_network(name.strip())
    except ValueError:
        return f"networks with commas between, such as {PRIVATE}"
    return ""


@dataclass(frozen=True, kw_only=True)
class NodesConf:
    """What dispatchers can be told."""

    node_networks: str = setting(
        PRIVATE, "ORCHARD_NODE_NETWORKS",
        "Networks that push nodes may be in, with commas between; 127.0.0.0/8 is this machine.",
        check=is_network_list,
    )  # fmt: skip
    node_timeout_s: float = setting(
        900.0, "ORCHARD_NODE_TIMEOUT_S",
        "Longest that a push node may take over a chunk, in seconds; less once it was measured.",
        low=0.1, high=86_400,
    )  # fmt: skip
    node_rest_s: float = setting(
        5.0, "ORCHARD_NODE_REST_S",
        "Rest of a push node after a first failure, in seconds; it doubles each time.",
        low=0.05, high=3600,
    )  # fmt: skip
