"""Troubles between us and the engine, and around us, in plain words with what helps."""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec


class Trouble(msgspec.Struct, frozen=True):
    """Something that keeps the fleet from working, or soon will."""

    code: str
    what: str
    help: str
    """The command or setting that helps."""
    is_grave: bool = True


class _Saying(NamedTuple):
    pattern: str
    code: str
    what: str
    help: str


_SAYINGS = (
    _Saying(
        r"WRONGPASS|invalid password|invalid username-password",
        "wrong-password",
        "The engine refuses the user name or the password.",
        "Correct them in ORCHARD_STORE (redis://user:password@host:port/0); try them with"
        " `valkey-cli -h {host} -p {port} --user USER --askpass ping`.",
    ),
    _Saying(
        r"NOAUTH|Authentication required",
        "no-password",
        "The engine wants a password, and none is set.",
        "Name it in ORCHARD_STORE: redis://user:password@{host}:{port}/0.",
    ),
    _Saying(
        r"NOPERM|no permissions|can't run this command",
        "acl-gap",
        "The engine's user may not do what is needed.",
        "Let it: `ACL SETUSER USER +@all -@dangerous +info +config|get ~*`; the commands that are"
        " missing are named here: {text}",
    ),
    _Saying(
        r"DENIED.*protected mode",
        "protected-mode",
        "The engine takes clients of its own machine only (protected mode).",
        "Give it a password (`requirepass`), or set `bind` and `protected-mode no` in its"
        " configuration.",
    ),
    _Saying(
        r"Name or service not known|nodename nor servname|name resolution|No address",
        "no-host",
        "There is no host of this name: {host}.",
        "Correct the host in ORCHARD_STORE; look it up with `getent hosts {host}`.",
    ),
    _Saying(
        r"WRONG_VERSION_NUMBER|RECORD_LAYER|PACKET_LENGTH|does not speak TLS",
        "no-tls",
        "The engine does not speak TLS there.",
        "Use redis:// instead of rediss://, or the engine's `tls-port`.",
    ),
    _Saying(
        r"certificate",
        "certificate",
        "The engine's certificate is not trusted: {text}",
        "Name the right certificate authority, and reach the engine by a name its certificate has.",
    ),
    _Saying(
        r"LOADING|loading the dataset",
        "loading",
        "The engine still reads its files after a start.",
        "Wait; `valkey-cli -h {host} -p {port} info persistence` says how far it is.",
    ),
    _Saying(
        r"MISCONF",
        "not-persisted",
        "The engine refuses writes because it cannot write its files.",
        "Look for a full disk (`df -h`) and rights of its directory, then"
        " `valkey-cli -h {host} -p {port} bgsave`.",
    ),
    _Saying(
        r"READONLY|read only replica|read-only",
        "read-only",
        "This engine is a replica and takes no writes.",
        "Point ORCHARD_STORE to the primary: `valkey-cli -h {host} -p {port} info replication`"
        " names it as master_host.",
    ),
    _Saying(
        r"OOM|no memory left|when used memory",
        "out-of-memory",
        "The engine has no memory left for writes.",
        "Raise its limit: `valkey-cli -h {host} -p {port} config set maxmemory 1gb`, or delete"
        " finished jobs on the clean-up page.",
    ),
    _Saying(
        r"max (number of|clients)",
        "too-many-clients",
        "The engine takes no more clients.",
        "Raise `maxclients`: `valkey-cli -h {host} -p {port} config set maxclients 10000`.",
    ),
    _Saying(
        r"CLUSTERDOWN|MASTERDOWN",
        "primary-away",
        "A part of the engine is without a primary.",
        "Wait for the failover; `valkey-cli -h {host} -p {port} cluster info` tells of it.",
    ),
    _Saying(
        r"unknown command|wrong number of arguments for 'set'",
        "old-engine",
        "The engine does not know a command that is needed: {text}",
        "Use Valkey 7.2, Redis 6.2, or later.",
    ),
    _Saying(
        r"embedded engine does not answer",
        "embedded-still",
        "{text}",
        "Look at its process: `ps -o stat,cmd -p $(cat engine/valkey.pid)` in the data folder; one"
        " that was stopped (T) goes on with `kill -CONT`.",
    ),
    _Saying(
        r"embedded engine does not start",
        "embedded-dead",
        "{text}",
        "Look into engine/valkey.log in the data folder; a damaged append-only file is repaired by"
        " `valkey-check-aof --fix`.",
    ),
    _Saying(
        r"[Rr]efused|No such file or directory|ENOENT",
        "refused",
        "Nobody listens at {where}.",
        "Start the engine there (`systemctl start valkey`), or correct ORCHARD_STORE; try"
        " `valkey-cli -h {host} -p {port} ping`.",
    ),
    _Saying(
        r"[Tt]imed? ?out|Timeout|unreachable|No route",
        "no-answer",
        "{where} does not answer in time.",
        "Look at the network, at firewalls and at that machine's load: `nc -vz {host} {port}`.",
    ),
)
"""What engines and drivers say, and what is meant; the first that fits counts."""


def explain(text: str, host: str = "localhost", port: int | str = 6379) -> Trouble:
    """What an error of the engine means, and what helps."""
    where = f"{host}:{port}" if port else host
    for saying in _SAYINGS:
        if re.search(saying.pattern, text):
            words = {"host": host, "port": port, "where": where, "text": text}
            return Trouble(saying.code, saying.what.format(**words), saying.help.format(**words))
    return Trouble(
        "engine-fault", f"The engine says: {text}",
        "Look into the engine's log; `valkey-cli info` tells more.",
    )  # fmt: skip


CODES = tuple(dict.fromkeys(saying.code for saying in _SAYINGS))
"""What :func:`explain` can tell apart."""
