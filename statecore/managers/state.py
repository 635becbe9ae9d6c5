"""The state manager: namespaced JSON values for all processes at once (CONTRACTS section 2)."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from statecore import codec
from statecore.domain.entries import Entry
from statecore.domain.lifecycle import PROCESSED, IssueStatus
from statecore.domain.names import check_name
from statecore.managers.locks import HeldLock
from statecore.managers.transactions import Transaction, refuse_inside, run_transaction
from statecore.managers.watches import Callback, Watch
from statecore.services import changes, checkouts, migrations, namespaced
from statecore.services.values import new_id
from statecore.store.base import Store

T = TypeVar("T")
TASKS, RUNNING = "tasks", "running"


class UnifiedStateManager:
    """Entries by namespace and key; whatever one process sets, every other reads at once.

    All methods raise:
        InvalidInput: a namespace, key or value will not do.
        StoreUnavailable: the state engine cannot be reached.
    """

    def __init__(self, store: Store, *, owner: str = "", state_dir: Path | None = None) -> None:
        self.store = store
        self._state_dir = state_dir
        """Where files of older systems may lie that are to be taken over."""
        self.owner = owner or f"{socket.gethostname()}-{os.getpid()}"
        """In whose name locks are held."""
        self._watches: list[Watch] = []

    def initialize(self) -> None:
        """Make sure that the engine answers; take over the files of an older system, once.

        Raises:
            LockTimeout: another process is taking them over, and does not come to an end.
        """
        self.store.run(namespaced.list_namespaces())
        if self._state_dir:
            migrations.migrate_at_first_start(self.store, self._state_dir)

    def close(self) -> None:
        """Stop the watches and give back the connections."""
        for watch in [*self._watches]:
            self.unwatch(watch)
        self.store.close()

    # -- entries -----------------------------------------------------------------

    def get(self, namespace: str, key: str | None = None, default: Any = None) -> Any:
        """A value; without a key, all values of the namespace."""
        if key is None:
            return self.get_all(namespace)
        return _value(self.store.run(namespaced.get(namespace, key)), default)

    def get_entry(self, namespace: str, key: str) -> Entry | None:
        """A value with its version, for :meth:`compare_and_set`."""
        return self.store.run(namespaced.get(namespace, key))

    def get_all(self, namespace: str) -> dict[str, Any]:
        """All values of a namespace, at one moment."""
        found = self.store.run(namespaced.get_all(namespace))
        return {key: codec.decode_json(entry.raw) for key, entry in found.items()}

    def has(self, namespace: str, key: str) -> bool:
        """Whether there is an entry."""
        return self.store.run(namespaced.get(namespace, key)) is not None

    def namespaces(self) -> tuple[str, ...]:
        """The names of all namespaces."""
        return self.store.run(namespaced.list_namespaces())

    def set(self, namespace: str, key: str, value: Any) -> int:
        """Set an entry; its version then."""
        refuse_inside()
        return self.store.run(namespaced.put(namespace, key, value)).version

    def compare_and_set(self, namespace: str, key: str, value: Any, version: int | None) -> int:
        """Set an entry that still has this version (``None``: that is not there yet).

        Raises:
            VersionConflict: it is another by now; says its version.
        """
        refuse_inside()
        put = namespaced.put(namespace, key, value, if_version=version, if_absent=version is None)
        return self.store.run(put).version

    def set_all(self, namespace: str, values: Mapping[str, Any]) -> None:
        """Let a namespace hold exactly these values."""
        refuse_inside()
        self.store.run(namespaced.replace_all(namespace, values))

    def delete(self, namespace: str, key: str) -> bool:
        """Delete an entry; false when there is none."""
        refuse_inside()
        return self.store.run(namespaced.delete(namespace, key))

    def clear(self, namespace: str) -> None:
        """Delete all entries of a namespace."""
        refuse_inside()
        self.store.run(namespaced.clear(namespace))

    async def aget(self, namespace: str, key: str, default: Any = None) -> Any:
        """The same as :meth:`get`, without blocking the event loop."""
        return _value(await self.store.arun(namespaced.get(namespace, key)), default)

    async def aset(self, namespace: str, key: str, value: Any) -> int:
        """The same as :meth:`set`, without blocking the event loop."""
        refuse_inside()
        return (await self.store.arun(namespaced.put(namespace, key, value))).version

    async def adelete(self, namespace: str, key: str) -> bool:
        """The same as :meth:`delete`, without blocking the event loop."""
        refuse_inside()
        return await self.store.arun(namespaced.delete(namespace, key))

    # -- several at once, changes, locks ---------------------------------------------

    def transaction(self, callback: Callable[[Transaction], T]) -> T:
        """Run a callback whose reads and writes become one step, or nothing.

        It runs again when others change what it has read, so it should do
        nothing but compute.

        Raises:
            NestedTransaction: it is called inside another transaction.
            TooManyConflicts: others kept changing what it reads.
            Exception: whatever the callback raises; nothing is changed then.
        """
        return run_transaction(self.store, callback)

    def watch(
        self, namespace: str, callback: Callback, *, cursor: str = "",
        on_reset: Callable[[], object] | None = None,
    ) -> Watch:  # fmt: skip
        """Call back with key, old and new value for each change from now, or from a cursor, on.

        ``on_reset`` is called when changes were lost, because the cursor was too old.
        """
        check_name("namespace", namespace)
        begin = cursor or self.store.run(changes.now_cursor())
        watch = Watch(self.store, namespace, callback, begin, on_reset)
        self._watches.append(watch)
        return watch

    def unwatch(self, watched: Watch | str, callback: Callback | None = None) -> None:
        """Stop a watch, or all those of a namespace (with this callback, if one is given)."""
        for watch in [*self._watches]:
            is_named = watch.namespace == watched and callback in (None, watch.callback)
            if watch is watched or is_named:
                self._watches.remove(watch)
                watch.stop()

    def lock(
        self, name: str, *, ttl_s: float | None = None, wait_s: float = 0.0, owner: str = ""
    ) -> HeldLock:
        """A lock for a ``with`` or ``async with`` block."""
        holder = owner or f"{self.owner}-{new_id()}"
        return HeldLock(self.store, name, holder, ttl_s, wait_s)

    # -- what older programs ask for -----------------------------------------------------

    def get_processed_issues(self) -> list[int]:
        """Numbers of the issues that are completed or await a response."""
        found = self.get_all("issues")
        return sorted(
            int(key)
            for key, record in found.items()
            if key.isdigit() and isinstance(record, dict) and record.get("status") in PROCESSED
        )

    def is_issue_processed(self, issue: int) -> bool:
        """Whether an issue is completed or awaits a response."""
        record = self.get("issues", str(issue))
        return isinstance(record, dict) and record.get("status") in PROCESSED

    def add_processed_issue(self, issue: int) -> None:
        """Note that an issue is completed.

        Raises:
            HeldByAnother: a process holds it.
        """
        refuse_inside()
        self.store.run(checkouts.update(issue, IssueStatus.COMPLETED))

    def get_running_tasks(self) -> dict[str, Any]:
        """The entries of ``tasks`` whose status is ``running``."""
        found = self.get_all(TASKS)
        return {
            key: task
            for key, task in found.items()
            if isinstance(task, dict) and task.get("status") == RUNNING
        }

    def add_running_task(self, task_id: str, task: Mapping[str, Any]) -> None:
        """Note that a task runs."""
        self.set(TASKS, task_id, {**task, "status": RUNNING})

    def remove_running_task(self, task_id: str) -> bool:
        """Forget a task; false when it is not known."""
        return self.delete(TASKS, task_id)

    def __enter__(self) -> UnifiedStateManager:
        self.initialize()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()


def _value(entry: Entry | None, default: Any) -> Any:
    return default if entry is None else codec.decode_json(entry.raw)
