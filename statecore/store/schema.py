"""Of which version the state in an engine is, and who may work with it.

What a release writes has a version. The key says of which version all that an engine holds is at
least, which release has said so, and whether an upgrade is on its way. A release reads its own
version and some before it; state of a newer one it refuses, at start and while it runs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from statecore.store import ops
from statecore.store.base import Store
from statecore.store.errors import EngineRefuses, WrongType

FIRST = 1
"""The version of state from before the version was written down."""
LOOK_EVERY_S = 2.0
"""How often a process that works looks whether it still may."""
LOOK_AGAIN_S = 30.0
"""When another look is begun while the engine does not answer one."""


class Upgrading(msgspec.Struct, frozen=True, kw_only=True):
    """An upgrade that was begun and has not ended."""

    to: int
    """The version that all state is to have."""
    step: int
    """The version that the step at hand leads to."""
    cursor: str = ""
    """How far this step is; empty at its beginning."""


class Schema(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an engine says of its state. Later releases may add fields, and change none."""

    version: int
    """Everything there is of this version, or a later one."""
    release: str = ""
    """The release that has said so; empty for state from before that was written down."""
    upgrading: Upgrading | None = None

    @property
    def needed(self) -> int:
        """The version that whoever works with this state has to know."""
        return max(self.version, self.upgrading.to if self.upgrading else 0)


class Release(NamedTuple):
    """What a release is called, and which versions of the state it knows."""

    name: str
    version: int
    """What it writes."""
    oldest: int
    """The oldest that it reads."""


class WrongSchema(EngineRefuses):
    """The state in the engine is of a version that this release does not know."""


def read_schema(engine: Store, key: str) -> tuple[Schema | None, bytes | None]:
    """What an engine says, and in which bytes; ``None`` when it says nothing.

    ``engine`` is the store without partitions and seals.

    Raises:
        WrongSchema: no release of this program has written that.
    """
    raw: bytes | None = None
    try:
        (raw,) = engine.read(ops.Key(key))
        return (None if raw is None else msgspec.json.decode(raw, type=Schema)), raw
    except (WrongType, msgspec.MsgspecError, UnicodeError):
        held = f": {raw[:80]!r}" if raw is not None else ""
        raise WrongSchema(
            f"the key {key!r} of the engine holds nothing that a release writes there{held}; when"
            " it is deleted, `manage.py upgrade` looks at all records again"
        ) from None


def write_schema(engine: Store, key: str, before: bytes | None, schema: Schema) -> bytes | None:
    """Have the engine say something else; the new bytes, ``None`` if it says another thing now."""
    raw = msgspec.json.encode(schema)
    said = engine.commit({ops.Key(key): before}, [ops.Set(key, raw)])
    return None if isinstance(said, ops.Conflict) else raw


class Gate:
    """Lets a process work with an engine as long as it knows the version of the state there.

    It is asked before each request to the engine, and looks at most every ``LOOK_EVERY_S``.
    """

    def __init__(
        self, engine: Store, key: str, release: Release, is_used: Callable[[], bool]
    ) -> None:
        """``engine`` is the store without partitions and seals; ``is_used``: it holds state."""
        self.engine, self.key, self.release = engine, key, release
        self._is_used = is_used
        self._seen: Schema | None = None
        self._refusal = ""
        self._look_at = 0.0

    def check(self) -> None:
        """Pass, or not.

        Raises:
            WrongSchema: the state is of a version that this release does not know.
            StoreUnavailable: the engine cannot be reached.
        """
        if self._is_due():
            self._look()
        self._pass()

    async def acheck(self) -> None:
        """Pass, or not, without blocking the event loop; see :meth:`check`."""
        if self._is_due():
            await asyncio.to_thread(self._look)
        self._pass()

    def settle(self) -> Schema:
        """What the engine says of its state; one that says nothing does from now on.

        An empty engine is of our version from the beginning. One with state from before this
        was written down is of the first.

        Raises:
            WrongSchema: what it says is damaged.
            StoreUnavailable: the engine cannot be reached.
        """
        found, _ = read_schema(self.engine, self.key)
        while found is None:
            write_schema(self.engine, self.key, None, self._first_said())
            found, _ = read_schema(self.engine, self.key)
        self._seen = found
        return found

    def _first_said(self) -> Schema:
        if self._seen:  # somebody has emptied the engine: what is there now, we have written
            return Schema(version=self._seen.version, release=self.release.name)
        if self._is_used():
            return Schema(version=FIRST)
        return Schema(version=self.release.version, release=self.release.name)

    def _said(self) -> Schema:
        """What the engine says now."""
        return self.settle()

    def _is_due(self) -> bool:
        at = time.monotonic()
        if at < self._look_at:
            return False
        self._look_at = at + LOOK_AGAIN_S  # the others go on with what is known
        return True

    def _look(self) -> None:
        waits_s = 0.0  # when nothing is seen, the next one looks
        try:
            self._refusal, waits_s = refusal(self._said(), self.release), LOOK_EVERY_S
        except WrongSchema as wrong:
            self._refusal, waits_s = str(wrong), LOOK_EVERY_S
        finally:
            self._look_at = time.monotonic() + waits_s

    def _pass(self) -> None:
        if self._refusal:
            raise WrongSchema(self._refusal)


class LookingGate(Gate):
    """Lets a program pass that uses a part of the state: it only reads what is said of that.

    Where nobody has said anything there is no site, and nobody upgrades the state.
    """

    def __init__(self, engine: Store, key: str, release: Release) -> None:
        super().__init__(engine, key, release, lambda: True)

    def _said(self) -> Schema:
        found, _ = read_schema(self.engine, self.key)
        return found or Schema(version=self.release.version)


def refusal(schema: Schema, release: Release) -> str:
    """Why a release must not work with a state, in one sentence or two; empty when it may."""
    if schema.needed > release.version:
        return (
            f"the state is of version {schema.needed}{_by(schema)}, and this release"
            f" ({release.name}) knows versions up to {release.version}: install the newer release,"
            " or restore a backup made before the upgrade"
        )
    if schema.version < release.oldest:
        return (
            f"the state is of version {schema.version}{_by(schema)}, and this release"
            f" ({release.name}) reads versions {release.oldest} to {release.version}: run"
            " `manage.py upgrade`"
        )
    return ""


def _by(schema: Schema) -> str:
    return f", by release {schema.release}" if schema.release else ""
