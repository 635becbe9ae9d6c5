"""Entries of a namespace: any JSON value under a key, with a version for compare-and-set."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from statecore.domain.errors import VersionConflict
from statecore.domain.names import check_key, check_name

DEFAULT_NAMESPACES = ("issues", "comments", "tasks", "processes", "agents", "config")
"""Namespaces that are always there (CONTRACTS section 2)."""

ISSUES = "issues"
"""The namespace that describes the same issues as ``poppo:issue:status:{id}``."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One value; ``raw`` is its JSON text."""

    namespace: str
    key: str
    raw: bytes
    version: int = 0
    """0 when it was written by a program that counts no versions."""


class Put(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to set an entry, or to delete it when ``raw`` is ``None``.

    ``if_version`` lets it happen only while the entry has this version,
    ``if_absent`` only while there is none, ``if_present`` only while there is
    one, and ``if_tags`` only while its tag is one of these.
    """

    namespace: str
    key: str
    raw: bytes | None
    if_version: int | None = None
    if_absent: bool = False
    if_present: bool = False
    if_tags: frozenset[str] | None = None


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """What a watcher is told: an entry before and after."""

    namespace: str
    key: str
    old: Any
    new: Any
    version: int
    cursor: str = ""
    at: datetime | None = None


def check_place(namespace: object, key: object) -> tuple[str, str]:
    """Namespace and key of an entry.

    Raises:
        InvalidInput: one of them cannot be a name.
    """
    return check_name("namespace", namespace), check_key("key", key)


def tag_of(entry: Entry) -> str:
    """What stands for exactly this value: its version and a digest of its JSON.

    Programs that count no versions change the digest alone.
    """
    return f"{entry.version}-{hashlib.sha256(entry.raw).hexdigest()[:8]}"


def check_condition(put: Put, before: Entry | None) -> None:
    """Let a wish come true only on the entry that it was made for.

    Raises:
        VersionConflict: it is another by now; says its version.
    """
    version = before.version if before else None
    reason = ""
    if put.if_absent and before is not None:
        reason = "exists"
    elif put.if_present and before is None:
        reason = "does not exist"
    elif put.if_version is not None and put.if_version != version:
        reason = f"is not at version {put.if_version}"
    elif put.if_tags is not None and (before is None or tag_of(before) not in put.if_tags):
        reason = "has changed"
    if reason:
        place = f"{put.namespace}/{put.key}"
        raise VersionConflict(f"{place} {reason}", version=version, key=put.key)


def next_version(last: int, at: datetime) -> int:
    """A version above ``last``, and above all that were given out before this moment.

    So versions grow even when the engine has forgotten them all.
    """
    return max(last + 1, round(at.timestamp() * 1000))


def check_each_once(puts: Sequence[Put]) -> None:
    """Refuse a transaction that sets one entry twice.

    Raises:
        VersionConflict: it does; only one of them could hold.
    """
    seen: set[tuple[str, str]] = set()
    for put in puts:
        if (put.namespace, put.key) in seen:
            raise VersionConflict(f"{put.namespace}/{put.key} stands in the transaction twice")
        seen.add((put.namespace, put.key))
