"""The flag that says that a state directory was taken over, and what stands there meanwhile."""

from __future__ import annotations

from typing import Any, cast

from statecore import codec
from statecore.domain.entries import Put
from statecore.services import namespaced
from statecore.services.values import encode_value
from statecore.store.steps import Steps, now

CONFIG = "config"
FLAG = "statusManagerMigrated"
"""The entry of ``config`` that says that a directory was taken over (CONTRACTS section 3)."""
STARTED = "statusManagerMigrationStarted"
"""The entry of ``config`` that is there while that is being done."""
OURS = frozenset({(CONFIG, FLAG), (CONFIG, STARTED)})
"""Entries that no file has a say in."""


def read_flag() -> Steps[dict[str, Any] | None]:
    """What the flag says, or ``None`` when nothing was taken over; older systems say just yes."""
    entry = yield from namespaced.get(CONFIG, FLAG)
    if entry is None:
        return None
    value = codec.decode_json(entry.raw)
    return value if isinstance(value, dict) else {}


def reset() -> Steps[bool]:
    """Delete the flag, so that the files are taken over again; false when there is none."""
    yield from namespaced.delete(CONFIG, STARTED)
    return (yield from namespaced.delete(CONFIG, FLAG))


def start() -> Steps[int]:
    """Note that it has begun; the version from which on whatever changes has changed since."""
    entry = yield from namespaced.get(CONFIG, STARTED)
    if entry is None:
        at = yield from now()
        entry = yield from namespaced.put(CONFIG, STARTED, {"at": codec.iso(at)})
    return entry.version


def set_flag(counts: dict[str, int], files: dict[str, str]) -> Steps[None]:
    """Say that it is done, of how much, and which files (name and SHA-256) are to be renamed."""
    at = yield from now()
    value = {"at": codec.iso(at), "counts": counts, "files": files}
    yield from namespaced.put_many(
        [
            Put(namespace=CONFIG, key=FLAG, raw=encode_value(value)),
            Put(namespace=CONFIG, key=STARTED, raw=None),
        ]
    )


def files_of(flag: dict[str, Any]) -> dict[str, str]:
    """The files that are to be renamed, by the flag; older systems name none."""
    files = flag.get("files")
    is_ours = isinstance(files, dict) and all(isinstance(one, str) for one in files.values())
    return cast("dict[str, str]", files) if is_ours else {}
