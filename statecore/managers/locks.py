"""Held locks: a ``with`` block, sync or async, that gives its lock back at the end."""

from __future__ import annotations

from types import TracebackType

from statecore.domain.errors import StateError, UnknownLock
from statecore.domain.locks import Lock
from statecore.services import locks
from statecore.store.base import Store
from statecore.store.steps import Steps


class HeldLock:
    """A lock by name, taken at the start of a block and given back at its end.

    Raises (at the start):
        LockTimeout: somebody else holds it for longer than ``wait_s``; names them.
        InvalidInput: name, owner or lease will not do.
    """

    def __init__(
        self, store: Store, name: str, owner: str, ttl_s: float | None, wait_s: float
    ) -> None:
        self._store, self._name, self._owner, self._wait_s = store, name, owner, wait_s
        self._ttl_ms = None if ttl_s is None else round(ttl_s * 1000)
        self._held: Lock | None = None

    @property
    def token(self) -> int:
        """The fencing token, to be passed on to what the lock protects."""
        if self._held is None:
            raise UnknownLock(lock=self._name)
        return self._held.token

    def acquire(self) -> Lock:
        """Take the lock, waiting as long as was asked for."""
        self._held = self._store.run(self._wait())
        return self._held

    def renew(self) -> Lock:
        """Let the lease last from now.

        Raises:
            UnknownLock: it has run out, and the lock may have been somebody else's since.
        """
        renewed = locks.renew(self._name, self._owner, self.token, self._ttl_ms)
        self._held = self._store.run(renewed)
        return self._held

    def release(self) -> None:
        """Give the lock back; one whose lease has run out is no longer ours to give."""
        held, self._held = self._held, None
        if held is not None:
            try:
                self._store.run(locks.release(self._name, self._owner, held.token))
            except StateError:
                return

    def __enter__(self) -> HeldLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.release()

    async def __aenter__(self) -> HeldLock:
        self._held = await self._store.arun(self._wait())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        held, self._held = self._held, None
        if held is not None:
            try:
                await self._store.arun(locks.release(self._name, self._owner, held.token))
            except StateError:
                return

    def _wait(self) -> Steps[Lock]:
        return locks.wait_for(self._name, self._owner, self._ttl_ms, timeout_s=self._wait_s)
