"""What an engine tells of itself, in the same words for all kinds; unknown facts are left out.

The words: ``engine`` (the store's name), ``software``, ``role``, ``uptime_s``, ``keys``,
``memory_bytes``, ``memory_limit_bytes`` (0: none), ``memory_peak_bytes``, ``clients``,
``clients_limit``, ``ops_per_s``, ``append_only``, ``append_only_ok``, ``snapshots``,
``snapshot_at`` (epoch seconds), ``snapshot_ok``, ``policy``, ``evicted``, ``rejected``,
``disk_bytes``, ``disk_free_bytes``, ``replicas``, ``nodes`` (primaries of a cluster), and
``streams`` (key -> length).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any

Facts = dict[str, Any]


def parse_info(raw: bytes) -> dict[str, str]:
    """The lines of the engine's answer to ``INFO``."""
    lines = raw.decode("utf-8", "replace").splitlines()
    pairs = (line.partition(":") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def facts_of(info: Mapping[str, str]) -> Facts:
    """What ``INFO`` says, in our words."""
    found = {
        name: read(info[theirs]) for name, (theirs, read) in _FROM_INFO.items() if theirs in info
    }
    found["software"] = _software(info)
    found["keys"] = sum(
        int(part.removeprefix("keys="))
        for name, value in info.items()
        if name.startswith("db") and name[2:].isdigit()
        for part in value.split(",")
        if part.startswith("keys=")
    )
    return found


def gathered(nodes: list[Facts]) -> Facts:
    """What all primaries together tell: sums of what adds up, else the worst of all."""
    if len(nodes) < 2:
        return nodes[0] if nodes else {}
    together: Facts = {"nodes": len(nodes)}
    for name in dict.fromkeys(chain.from_iterable(nodes)):
        values = [node[name] for node in nodes if name in node]
        together[name] = _TOGETHER.get(name, _same)(values)
    return together


def _same(values: list[Any]) -> Any:
    """What is the same of all; else each of them, in words, or the least of them."""
    if isinstance(values[0], str):
        return ", ".join(sorted(set(values)))
    return all(values) if isinstance(values[0], bool) else min(values)


_TOGETHER: dict[str, Callable[[list[Any]], Any]] = dict.fromkeys(
    ("memory_bytes", "memory_limit_bytes", "memory_peak_bytes", "clients", "clients_limit",
     "ops_per_s", "evicted", "rejected", "keys", "replicas"), sum,
)  # fmt: skip


def _software(info: Mapping[str, str]) -> str:
    if "valkey_version" in info:
        return f"Valkey {info['valkey_version']}"
    return f"Redis {info.get('redis_version', '')}".strip()


def _role(value: str) -> str:
    return "replica" if value == "slave" else "primary"


def _is_ok(value: str) -> bool:
    return value == "ok"


def _is_on(value: str) -> bool:
    return value == "1"


_FROM_INFO: dict[str, tuple[str, Callable[[str], Any]]] = {
    "role": ("role", _role),
    "replicas": ("connected_slaves", int),
    "uptime_s": ("uptime_in_seconds", int),
    "memory_bytes": ("used_memory", int),
    "memory_limit_bytes": ("maxmemory", int),
    "memory_peak_bytes": ("used_memory_peak", int),
    "clients": ("connected_clients", int),
    "clients_limit": ("maxclients", int),
    "ops_per_s": ("instantaneous_ops_per_sec", int),
    "append_only": ("aof_enabled", _is_on),
    "append_only_ok": ("aof_last_write_status", _is_ok),
    "snapshot_at": ("rdb_last_save_time", int),
    "snapshot_ok": ("rdb_last_bgsave_status", _is_ok),
    "policy": ("maxmemory_policy", str),
    "evicted": ("evicted_keys", int),
    "rejected": ("rejected_connections", int),
}
