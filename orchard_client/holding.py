"""Leases as context managers: one with a thread that keeps them alive, one with a task."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Generic

from orchard_client.awaiting import Awaiting
from orchard_client.blocking import Blocking
from orchard_client.leases import H, Keeping, Lease

Told = Callable[[], None] | None


class _Enough(Exception):
    """The thread is not needed any more."""


class Holding(Generic[H]):
    """Holds something for a ``with`` block."""

    def __init__(self, driver: Blocking, lease: Lease[H], on_lost: Told) -> None:
        self._driver = driver
        self._lease = lease
        self._on_lost = on_lost
        self._enough = threading.Event()

    def __enter__(self) -> H:
        """Take it, and keep it alive from now on.

        Raises:
            Held: somebody else has it.
        """
        self._held = self._driver.run(self._lease.take())
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)
        self._thread.start()
        return self._held

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Give it back.

        Raises:
            LeaseLost: the block has ended well, but somebody else may have it by now.
        """
        self._enough.set()
        self._thread.join()
        if fault is None:
            self._held.require()
        if not self._held.lost:
            self._driver.run(self._lease.give_back(self._held, fault))

    def _keep(self) -> None:
        with contextlib.suppress(_Enough):
            self._driver.run(Keeping(self._lease, self._held, self._on_lost).steps(), self._rest)

    def _rest(self, seconds: float) -> None:
        if self._enough.wait(seconds):
            raise _Enough


class AsyncHolding(Generic[H]):
    """Holds something for an ``async with`` block."""

    def __init__(self, driver: Awaiting, lease: Lease[H], on_lost: Told) -> None:
        self._driver = driver
        self._lease = lease
        self._on_lost = on_lost

    async def __aenter__(self) -> H:
        """Take it, and keep it alive from now on.

        Raises:
            Held: somebody else has it.
        """
        self._held = await self._driver.run(self._lease.take())
        keeping = Keeping(self._lease, self._held, self._on_lost).steps()
        self._task = asyncio.create_task(self._driver.run(keeping))
        return self._held

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Give it back.

        Raises:
            LeaseLost: the block has ended well, but somebody else may have it by now.
        """
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if fault is None:
            self._held.require()
        if not self._held.lost:
            await self._driver.run(self._lease.give_back(self._held, fault))
