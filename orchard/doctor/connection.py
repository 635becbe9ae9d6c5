"""Whether the engine can be reached, lets us do what we must, and keeps what it is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import msgspec

from orchard import keys
from orchard.doctor.troubles import Trouble, explain
from statecore.domain.health import EngineFacts, find_concerns
from statecore.store.base import Store
from statecore.store.errors import StoreError
from statecore.store.probing import probe

PROBE = keys.idempotency("doctor", "probe")
CLOCK_MS = 5_000
"""Our clock and the engine's may differ so much."""
_HELP = {
    "in_memory": ("The state is in this program's memory and gone with it.",
                  "Set ORCHARD_STORE to embedded:// or to a redis:// address."),
    "not_kept": ("The engine writes nothing to disk.",
                 "`valkey-cli config set appendonly yes`, and in its configuration."),
    "snapshots_only": ("The engine writes snapshots only: what came after the last one is lost.",
                       "`valkey-cli config set appendonly yes`, and in its configuration."),
    "append_only_fails": ("The engine cannot write its append-only file.",
                          "Look for a full disk (`df -h`) and into the engine's log."),
    "snapshot_fails": ("The engine could not write its last snapshot.",
                       "Look for a full disk (`df -h`) and into the engine's log."),
    "evicts": ("The engine forgets keys when it is full: jobs and locks would vanish.",
               "`valkey-cli config set maxmemory-policy noeviction`."),
    "has_evicted": ("The engine has forgotten keys to make room.",
                    "`valkey-cli config set maxmemory-policy noeviction`, more memory, and"
                    " `manage.py doctor --repair`."),
    "memory_near": ("The engine's memory is nearly full.",
                    "`valkey-cli config set maxmemory 1gb`, or delete finished jobs."),
    "clients_near": ("The engine has nearly as many clients as it takes.",
                     "`valkey-cli config set maxclients 10000`."),
    "rejected_clients": ("The engine has refused clients.",
                         "`valkey-cli config set maxclients 10000`."),
    "is_replica": ("This engine is a replica and takes no writes.",
                   "Point ORCHARD_STORE to the primary: `valkey-cli info replication`."),
    "slow": ("The engine answers slowly.", "Look at the load of its machine."),
    "disk_near": ("The engine's disk is nearly full.", "Make room: `df -h`."),
}  # fmt: skip


def reach(open_store: Callable[[], Store], url: str) -> tuple[Store | None, list[Trouble]]:
    """The store, if it answers; and what is wrong between us."""
    host, port = address(url)
    try:
        store = open_store()
        store.read()
    except StoreError as fault:
        return None, [explain(_told(fault), host, port)]
    try:
        return store, list(_examine(store, host, port))
    except StoreError as fault:
        return None, [explain(_told(fault), host, port)]


def _told(fault: BaseException) -> str:
    """What the engine itself has said, which is clearer than what became of it."""
    words = [str(fault)]
    while fault.__cause__:
        fault = fault.__cause__
        words.append(str(fault))
    return " / ".join(dict.fromkeys(words))


def address(url: str) -> tuple[str, int | str]:
    """Host and port of an engine's URL, for people to read; never its password."""
    parts = urlsplit(url.split(",")[0])
    if parts.scheme == "unix":
        return parts.path, ""
    try:
        return parts.hostname or parts.scheme, parts.port or 6379
    except ValueError:
        return parts.hostname or parts.scheme, 6379


def _examine(store: Store, host: str, port: int | str) -> Iterator[Trouble]:
    yield from _permissions(store, host, port)
    concerns = find_concerns(_facts(store), None)
    for concern in concerns:
        what, help_ = _HELP[concern.name]
        yield Trouble(concern.name.replace("_", "-"), what, help_, concern.grave)
    apart_ms = abs(store.now().timestamp() - time.time()) * 1000
    if apart_ms > CLOCK_MS:
        yield Trouble(
            "clock-apart",
            f"This machine's clock and the engine's are {apart_ms / 1000:.0f} s apart."
            " The engine's counts for leases; log lines and certificates go by this one.",
            "Set both by the network: `timedatectl set-ntp true`, then `timedatectl`.",
            is_grave=False,
        )


def _facts(store: Store) -> EngineFacts:
    return msgspec.convert(store.describe(), EngineFacts)


def _permissions(store: Store, host: str, port: int | str) -> Iterator[Trouble]:
    """Commands that the engine refuses, those of one reason together."""
    refused: dict[str, list[str]] = {}
    for answer in probe(store, PROBE):
        if answer.error:
            code = explain(answer.error, host, port).code
            refused.setdefault(code, []).append(answer.command)
    for code, commands in refused.items():
        named = ", ".join(dict.fromkeys(commands))
        said = next(a.error for a in probe(store, PROBE) if a.error)
        if code == "acl-gap":
            yield Trouble(
                code, f"The engine's user may not: {named}.",
                "Let it: `ACL SETUSER USER "
                + " ".join(dict.fromkeys(_grant(c) for c in commands)) + " ~*`, then"
                " `ACL SAVE`.", is_grave=not set(commands) <= _OPTIONAL,
            )  # fmt: skip
        else:
            yield explain(said, host, port)


_OPTIONAL = {"INFO", "CONFIG GET", "SCAN", "TYPE", "PTTL", "SSCAN", "HSCAN", "SMISMEMBER",
             "STRLEN", "PUBLISH"}  # fmt: skip
"""Without these the fleet works; only pages, the doctor or the ambassador know less."""


def _grant(command: str) -> str:
    return f"+{command.lower().replace(' ', '|')}"
