"""This process's own locks on hot keys, so that its threads queue instead of colliding.

They only save conflicts: nothing depends on them for correctness, which is why
threads and event loops may each have their own.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

L = TypeVar("L", threading.Lock, asyncio.Lock)


class _Locks(Generic[L]):
    """One lock per key, kept only while somebody holds it or waits for it."""

    def __init__(self, new: Callable[[], L]) -> None:
        self._new: Callable[[], L] = new
        self._locks: dict[str, tuple[L, int]] = {}
        self._guard = threading.Lock()

    def join(self, key: str) -> L:
        """The lock of ``key``; every join must be followed by one :meth:`leave`."""
        with self._guard:
            lock, users = self._locks.get(key) or (self._new(), 0)
            self._locks[key] = (lock, users + 1)
            return lock

    def leave(self, key: str) -> None:
        """Say that this user no longer needs the lock of ``key``."""
        with self._guard:
            lock, users = self._locks.pop(key)
            if users > 1:
                self._locks[key] = (lock, users - 1)

    def __len__(self) -> int:
        return len(self._locks)


class _Holds(Generic[L]):
    """The locks that one run holds, and how many times each."""

    def __init__(self, locks: _Locks[L]) -> None:
        self._locks: _Locks[L] = locks
        self._held: dict[str, tuple[L, int]] = {}

    def give_back(self, keys: Iterable[str]) -> None:
        """Release ``keys``, those held more than once only with the last release."""
        for key in keys:
            lock, times = self._held.pop(key)
            if times > 1:
                self._held[key] = (lock, times - 1)
            else:
                lock.release()
                self._locks.leave(key)

    def give_back_all(self) -> None:
        """Release whatever this run still holds."""
        while self._held:
            self.give_back(tuple(self._held))

    def _holds_already(self, key: str) -> bool:
        if key not in self._held:
            return False
        lock, times = self._held[key]
        self._held[key] = (lock, times + 1)
        return True


class ThreadHolds(_Holds[threading.Lock]):
    """The locks that one synchronous run holds."""

    def take(self, keys: Iterable[str]) -> None:
        """Wait for the locks of ``keys``, one after the other."""
        for key in keys:
            if self._holds_already(key):
                continue
            lock = self._locks.join(key)
            try:
                lock.acquire()
            except BaseException:
                self._locks.leave(key)
                raise
            self._held[key] = (lock, 1)


class LoopHolds(_Holds[asyncio.Lock]):
    """The locks that one asynchronous run holds."""

    async def take(self, keys: Iterable[str]) -> None:
        """Wait for the locks of ``keys``, one after the other."""
        for key in keys:
            if self._holds_already(key):
                continue
            lock = self._locks.join(key)
            try:
                await lock.acquire()
            except BaseException:
                self._locks.leave(key)
                raise
            self._held[key] = (lock, 1)


class HotKeys:
    """The locks of one store in this process: one set for threads, one per event loop."""

    def __init__(self) -> None:
        self._threads: _Locks[threading.Lock] = _Locks(threading.Lock)
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _Locks[asyncio.Lock]] = (
            WeakKeyDictionary()
        )
        self._guard = threading.Lock()

    def for_thread(self) -> ThreadHolds:
        """Holds for a run in the calling thread."""
        return ThreadHolds(self._threads)

    def for_loop(self) -> LoopHolds:
        """Holds for a run in the running event loop."""
        loop = asyncio.get_running_loop()
        with self._guard:
            if loop not in self._loops:
                self._loops[loop] = _Locks(asyncio.Lock)
            return LoopHolds(self._loops[loop])

    def __len__(self) -> int:
        return len(self._threads) + sum(len(locks) for locks in self._loops.values())
