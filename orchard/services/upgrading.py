"""Of which version the state is, and its way to the one that this release writes."""

from __future__ import annotations

import os
import socket
import time

from orchard import keys
from orchard.conf import get_conf
from orchard.services.engine import get_engine
from orchard.upgrades import RELEASE, all_steps
from orchard.upgrades.rewriting import Tally
from orchard.upgrades.running import (
    LEASE_MS,
    NOTICED_S,
    Report,
    Tell,
    UnderWay,
    Upgrade,
    UpgradeRefused,
)
from statecore.store.schema import Schema, WrongSchema, read_schema, refusal
from statecore.store.walking import below

__all__ = [
    "RELEASE", "Report", "Schema", "Tally", "UpgradeRefused", "WrongSchema", "describe",
    "find_refusal", "is_behind", "is_our_own", "preview", "upgrade", "upgrade_alone",
]  # fmt: skip


def describe() -> Schema | None:
    """What the engine says of its state; ``None`` where that is gone with this process.

    Raises:
        WrongSchema: no release of this program has written that.
        EngineAway: the engine cannot be reached.
    """
    return read_schema(below(get_engine()), keys.SCHEMA)[0]


def find_refusal(schema: Schema) -> str:
    """Why this release must not work with a state; empty when it may."""
    return refusal(schema, RELEASE)


def is_behind(schema: Schema) -> bool:
    """Whether an upgrade is due, or was begun and did not come to its end."""
    return schema.version < RELEASE.version


def is_our_own() -> bool:
    """Whether the engine is one that only this machine's processes work with."""
    return get_conf().store.startswith("embedded:")


def preview(tell: Tell) -> Report:
    """What an upgrade would do; nothing is done.

    Raises:
        UpgradeRefused: the state is of a newer version, or has none.
        EngineAway: the engine cannot be reached.
    """
    return _upgrade(tell).preview()


def upgrade(tell: Tell) -> Report:
    """Bring all state to the version of this release; one that was begun is gone on with.

    Raises:
        UpgradeRefused: it cannot be done (now); says why.
        EngineAway: the engine cannot be reached; run it again then.
    """
    return _upgrade(tell).run()


def upgrade_alone(tell: Tell) -> Report:
    """The same where no process works with the engine: nobody is waited for.

    Only whoever was killed at it may still hold it, for a few seconds.

    Raises:
        UpgradeRefused: it cannot be done; says why.
        EngineAway: the engine cannot be reached.
    """
    until = time.monotonic() + 2 * LEASE_MS / 1000
    while True:
        try:
            return _upgrade(tell, wait_s=0.0).run()
        except UnderWay:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


def _upgrade(tell: Tell, wait_s: float = NOTICED_S) -> Upgrade:
    holder = f"{socket.gethostname()} process {os.getpid()}"
    return Upgrade(get_engine(), RELEASE, all_steps(), holder, tell, wait_s)
