"""An upgrade from its beginning to its end: one process at a time, and as often as it is killed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from orchard import keys
from orchard.upgrades.rewriting import Tally, walk
from orchard.upgrades.step import Step
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.errors import StoreError
from statecore.store.record_walk import START
from statecore.store.schema import (
    LOOK_EVERY_S,
    Release,
    Upgrading,
    read_schema,
    refusal,
    write_schema,
)
from statecore.store.walking import below

LEASE_MS = 15_000
"""How long nobody else begins when an upgrade falls silent."""
NOTICED_S = 2 * LOOK_EVERY_S + 1
"""How long processes of older releases have to see that an upgrade begins."""
PASSES = 5
"""Walks until one finds nothing to change; a process of an older release may still write."""

Tell = Callable[[Tally], None]


class UpgradeRefused(Exception):
    """An upgrade cannot be done (now); says why."""


class UnderWay(UpgradeRefused):
    """Another process does it; one that was killed counts as such for a few seconds."""


class Report(msgspec.Struct, kw_only=True):
    """What an upgrade did, or would do."""

    from_version: int
    to_version: int
    dry_run: bool = False
    resumed: bool = False
    """Whether it went on with one that did not come to its end."""
    steps: list[Tally] = []


class Upgrade:
    """The way of an engine's state to the version of a release."""

    def __init__(
        self, store: Store, release: Release, steps: Sequence[Step], holder: str, tell: Tell,
        wait_s: float = NOTICED_S,
    ) -> None:  # fmt: skip
        """``wait_s``: how long to wait for processes of older releases to see that it begins.

        Raises:
            UpgradeRefused: the engine says nothing of its state, or it is of a newer version.
        """
        self.store, self.engine = store, below(store)
        self.release, self.steps, self.holder, self.tell = release, steps, holder, tell
        self.wait_s = wait_s
        schema, raw = read_schema(self.engine, keys.SCHEMA)
        if schema is None or raw is None:
            raise UpgradeRefused("the engine does not say of which version its state is")
        self.schema, self._raw = schema, raw
        if schema.needed > release.version:
            raise UpgradeRefused(refusal(schema, release))

    def preview(self) -> Report:
        """What would be done; nothing is. Each step is shown the records as they are now.

        Raises:
            StoreUnavailable: the engine cannot be reached.
        """
        report = self._report(dry_run=True)
        for step, tally in self._to_do(report):
            walk(self.store, step, START, tally, lambda *_, t=tally: self.tell(t), dry_run=True)
        return report

    def run(self) -> Report:
        """Do it; what was begun is gone on with. Whoever works with the engine goes on, too.

        Raises:
            UnderWay: another process does it.
            UpgradeRefused: an older release still writes.
            StoreUnavailable: the engine cannot be reached; run it again then.
        """
        report = self._report()
        if not (to_do := self._to_do(report)):
            return report
        self._lead()
        try:
            self._begin(report)
            for step, tally in to_do:
                self._do(step, tally)
        finally:
            self._leave()
        return report

    def _report(self, *, dry_run: bool = False) -> Report:
        return Report(
            from_version=self.schema.version, to_version=self.release.version, dry_run=dry_run,
            resumed=self.schema.upgrading is not None,
        )  # fmt: skip

    def _to_do(self, report: Report) -> list[tuple[Step, Tally]]:
        steps = [step for step in self.steps if step.version > self.schema.version]
        report.steps = [Tally(version=step.version, what=step.what) for step in steps]
        return list(zip(steps, report.steps, strict=True))

    def _begin(self, report: Report) -> None:
        """Say that it begins, and wait until whoever must not write any more has seen it."""
        if self.schema.upgrading is None or self.schema.upgrading.to != report.to_version:
            first = self.schema.version + 1
            self._say(upgrading=Upgrading(to=report.to_version, step=first))
        time.sleep(self.wait_s)

    def _do(self, step: Step, tally: Tally) -> None:
        """Walk until a whole walk, from the start, has found nothing to change."""
        known = self.schema.upgrading
        cursor = known.cursor if known and known.step == step.version else START
        for _ in range(PASSES):
            found, began = Tally(version=step.version, what=step.what), cursor

            def go_on(after: str, count: int, found: Tally = found) -> None:
                self._lead()
                self._say(upgrading=Upgrading(
                    to=self.release.version, step=step.version, cursor=after
                ))  # fmt: skip
                self.tell(found)

            walk(self.store, step, cursor, found, go_on)
            _add(tally, found)
            if began == START and not found.changed:
                return self._end(step)
            cursor = START
        raise UpgradeRefused(
            f"something still writes records of a version before {step.version}, for example"
            f" {', '.join(tally.examples[-2:])}: stop older processes, and run it again"
        )

    def _end(self, step: Step) -> None:
        is_last = step is self.steps[-1]
        ahead = None if is_last else Upgrading(to=self.release.version, step=step.version + 1)
        self._say(version=step.version, release=self.release.name, upgrading=ahead)

    def _say(self, **changes: object) -> None:
        """Have the engine say how far it is; whoever else has said something does it now."""
        schema = msgspec.structs.replace(self.schema, **changes)
        raw = write_schema(self.engine, keys.SCHEMA, self._raw, schema)
        if raw is None:
            raise UpgradeRefused("another process has gone on with the upgrade")
        self.schema, self._raw = schema, raw

    def _lead(self) -> None:
        """Become, or stay, the one process that does it."""
        cell, mine = ops.Key(keys.UPGRADE), self.holder.encode()
        (seen,) = self.store.read(cell)
        if seen in (None, mine):
            said = self.store.commit({cell: seen}, [ops.Set(keys.UPGRADE, mine, LEASE_MS)])
            if isinstance(said, ops.Committed):
                return
            seen = said.current[cell]
        by = (seen or b"another process").decode(errors="replace")
        raise UnderWay(
            f"{by} does the upgrade already; when it was killed, run this again in"
            f" {LEASE_MS // 1000} s"
        )

    def _leave(self) -> None:
        cell, mine = ops.Key(keys.UPGRADE), self.holder.encode()
        with suppress(StoreError):  # it runs out
            self.store.commit({cell: mine}, [ops.Delete((keys.UPGRADE,))])


def _add(tally: Tally, found: Tally) -> None:
    """Count a further walk: what was changed adds up, the rest is that of the last one."""
    tally.changed += found.changed
    tally.looked_at, tally.left, tally.left_examples = (
        found.looked_at, found.left, found.left_examples
    )  # fmt: skip
    tally.examples = (tally.examples + found.examples)[:5]
