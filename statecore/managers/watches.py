"""Watches: a callback for each change of a namespace, from any process, in order."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from statecore.services import changes
from statecore.store.base import Store
from statecore.store.errors import StoreUnavailable

logger = logging.getLogger(__name__)

Callback = Callable[[str, Any, Any], object]
"""Called with key, old value and new value; ``None`` stands for no value."""

BLOCK_MS = 1_000
PAUSE_S = 0.5
"""How long to wait while the engine is away."""


class Watch:
    """One callback, on a thread of its own: a slow or failing one stops no other."""

    def __init__(
        self, store: Store, namespace: str, callback: Callback, cursor: str,
        on_reset: Callable[[], object] | None = None,
    ) -> None:  # fmt: skip
        self.namespace = namespace
        self.callback = callback
        self.cursor = cursor
        """Everything up to here was delivered; a new watch can go on from it."""
        self._store = store
        self._on_reset = on_reset
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._follow, name=f"watch of {namespace}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Deliver no more; a callback that is running is waited for, unless it is this one's."""
        self._stopping.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _follow(self) -> None:
        while not self._stopping.is_set():
            try:
                found = self._store.run(
                    changes.changes_after(
                        self.cursor, namespaces=frozenset({self.namespace}), block_ms=BLOCK_MS
                    )
                )
            except StoreUnavailable:
                self._stopping.wait(PAUSE_S)
                continue
            self._deliver(found)

    def _deliver(self, found: changes.Changes) -> None:
        for change in found.changes:
            if self._stopping.is_set():
                return
            self._call(self.callback, change.key, change.old, change.new)
            self.cursor = change.cursor
        self.cursor = found.cursor
        if found.reset:
            logger.warning("Changes of %s are lost to a watch: read it again", self.namespace)
            if self._on_reset:
                self._call(self._on_reset)

    def _call(self, callback: Callable[..., object], *values: Any) -> None:
        try:
            callback(*values)
        except Exception:
            logger.exception("A watch of %s failed", self.namespace)
