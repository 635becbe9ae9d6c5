"""Load on a store that knows what it was told: counters that only grow."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from statecore.store import ops
from statecore.store.base import Store
from statecore.store.errors import StoreUnavailable


class Load:
    """Threads that count up, each a key of its own, and remember what was acknowledged."""

    def __init__(self, store: Store, keys: Sequence[str]) -> None:
        self.store, self.keys = store, keys
        self.acknowledged = dict.fromkeys(keys, 0)
        self.unknown = dict.fromkeys(keys, 0)
        self._last = 0.0
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(key,)) for key in keys]

    def start(self) -> None:
        """Begin to count."""
        for thread in self._threads:
            thread.start()

    def await_progress(self, seconds: float = 15.0) -> float:
        """Wait until something more is acknowledged; the moment of that."""
        began = time.monotonic()
        while self._last < began:
            assert time.monotonic() < began + seconds, "nothing was acknowledged any more"
            time.sleep(0.005)
        return self._last

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(30)

    def faults(self) -> list[str]:
        """What was acknowledged and is not there, or is there and cannot be, in words."""
        found = []
        for key, acknowledged in self.acknowledged.items():
            (raw,) = self.store.read(ops.Key(key))
            if not acknowledged <= int(raw or b"0") <= acknowledged + self.unknown[key]:
                unknown = self.unknown[key]
                found.append(f"{key}: {acknowledged} acknowledged, {unknown} unknown, {raw!r}")
        return found

    def _work(self, key: str) -> None:
        cell = ops.Key(key)
        while not self._stopping.is_set():
            try:
                (before,) = self.store.read(cell)
                after = b"%d" % (int(before or b"0") + 1)
                self.store.commit({cell: before}, [ops.Set(key, after)])
            except StoreUnavailable:
                self.unknown[key] += 1
                self._stopping.wait(0.05)
            else:
                self.acknowledged[key] = int(after)
                self._last = time.monotonic()
